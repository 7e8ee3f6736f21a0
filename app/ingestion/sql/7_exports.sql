-- owner: auth_owner
-- Hands out the kept bytes of a message that was not wholly filed. Who took them, and why, is written down in the same
-- transaction: with the message, and in the visitors' book of each person in whose book a part of it stands.
-- No row when no such message is held.
DO $$
BEGIN
  ALTER TABLE intake.export ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON intake.export;
  CREATE POLICY deciding ON intake.export TO auth_owner USING (true) WITH CHECK (true);
END $$;

CREATE OR REPLACE FUNCTION intake.export_message(message_id uuid, operator text, reason text)
RETURNS TABLE (facility_code text, format text, received_at timestamptz, body bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE held intake.message; person uuid;
BEGIN
  SELECT m.* INTO held FROM intake.message m WHERE m.id = export_message.message_id AND m.status IN ('partly', 'quarantined', 'rejected');
  IF NOT FOUND THEN
    RETURN;
  END IF;
  INSERT INTO intake.export (message_id, operator, reason, exported_at) VALUES (held.id, export_message.operator, export_message.reason, clock_timestamp());
  FOR person IN SELECT DISTINCT f.citizen_id FROM auth.filing f WHERE f.message_id = held.id ORDER BY f.citizen_id LOOP
    PERFORM audit.write_line(person, 'MESSAGE_EXPORTED', NULL, jsonb_build_object('message', held.id, 'facility', held.facility_code));
  END LOOP;
  RETURN QUERY SELECT held.facility_code, held.format, held.received_at, held.body;
END $$;

-- Who took the bytes of a message, the latest first.
CREATE OR REPLACE FUNCTION intake.exports(message_id uuid) RETURNS TABLE (operator text, reason text, exported_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT e.operator, e.reason, e.exported_at FROM intake.export e WHERE e.message_id = exports.message_id ORDER BY e.exported_at DESC
$$;
REVOKE ALL ON FUNCTION intake.export_message, intake.exports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.export_message, intake.exports TO worker;
