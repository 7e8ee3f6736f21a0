-- owner: auth_owner
-- Writes a line into a citizen's visitors' book, in the transaction of what it tells: both are there, or neither.
-- The chain numbers the lines of one citizen without a gap. `live` says who did it, `about` holds ids, codes and scope.
CREATE OR REPLACE FUNCTION audit.write_line(citizen uuid, action text, live auth.session, about jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line audit.line;
  present timestamptz := clock_timestamp();
BEGIN
  line.nonce := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  line.leaf := sha256('\x00'::bytea || line.nonce || convert_to(jsonb_build_array(citizen, action, live.citizen_id,
    live.practitioner_id, coalesce(live.facility_code, live.via_facility_code), about, present)::text, 'UTF8'));
  INSERT INTO audit.head AS h VALUES (citizen, 1, sha256('\x01'::bytea || line.leaf))
  ON CONFLICT (citizen_id) DO UPDATE SET n = h.n + 1, hash = sha256('\x01'::bytea || h.hash || line.leaf)
  RETURNING h.n INTO line.n;
  INSERT INTO audit.line VALUES (citizen, line.n, present, action, live.citizen_id, live.practitioner_id,
    coalesce(live.facility_code, live.via_facility_code), about, line.nonce, line.leaf);
  RETURN line.n;
END $$;
REVOKE ALL ON FUNCTION audit.write_line FROM PUBLIC;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['head', 'line'] LOOP
    EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON audit.%I', t);
    EXECUTE format('CREATE POLICY deciding ON audit.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
