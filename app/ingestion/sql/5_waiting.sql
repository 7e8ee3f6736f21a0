-- owner: auth_owner
-- What messages wait for that were kept and not filed: numbers of people, and names of resources that their facility has not sent
-- yet (FHIR), as blind indexes. When what is known of them changes, the messages are taken up again by themselves.
DO $$
BEGIN
  ALTER TABLE intake.waiting ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON intake.waiting;
  CREATE POLICY deciding ON intake.waiting TO auth_owner USING (true) WITH CHECK (true);
END $$;

CREATE OR REPLACE FUNCTION intake.wait_for(message uuid, lookups bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO intake.waiting (lookup, message_id)
  SELECT DISTINCT l, m.id FROM intake.message m, unnest(lookups) l WHERE m.id = message ON CONFLICT DO NOTHING
$$;

-- What told a Patient, and waits, is not taken up any more once its facility has told or deleted that Patient again. Who a waiting message
-- tells, it notes as the hash of the name's index.
CREATE OR REPLACE FUNCTION intake.supersede(message uuid, told bytea[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE older uuid[] := ARRAY(SELECT w.message_id FROM intake.waiting w WHERE w.lookup = ANY (ARRAY(SELECT sha256(l) FROM unnest(told) l)));
BEGIN
  IF older <> '{}' THEN  -- these few, and not all that the facility has sent: a plan that begins there reads its whole past
    DELETE FROM intake.waiting w USING intake.message now, (SELECT o.* FROM intake.message o WHERE o.id = ANY (older) OFFSET 0) m
     WHERE now.id = message AND m.facility_code = now.facility_code AND (m.received_at, m.id) < (now.received_at, now.id) AND w.message_id = m.id;
  END IF;
END $$;

-- A message tells Patients and Encounters (`told`) and names some that are not in it (`asked`). Those of one facility that tell and name
-- the same take turns, so that none waits for what is being filed. What is asked for and not known is waited for.
CREATE OR REPLACE FUNCTION intake.await_names(message uuid, told bytea[], asked bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (SELECT m.facility_code FROM intake.message m WHERE m.id = message);
BEGIN
  PERFORM pg_advisory_xact_lock(s.key) FROM (  -- of 256 stripes: a large message does not take a lock for each of its names
    SELECT DISTINCT hashtextextended(facility || ' ' || get_byte(l, 0), 5) AS key FROM unnest(told || asked) l ORDER BY 1) s;
  PERFORM intake.supersede(message, told);
  PERFORM intake.wait_for(message, ARRAY(SELECT l FROM unnest(asked) l
    WHERE (SELECT r.lookup FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = l) IS NULL));  -- one by one: a join reads all of the facility's
END $$;
REVOKE ALL ON FUNCTION intake.wait_for, intake.supersede, intake.await_names FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.wait_for, intake.await_names TO worker;
