-- owner: auth_owner
-- What the resources that a facility sent became (FHIR). A name of a resource rests as its blind index only, since it may
-- hold a person's number. Everything here is of the facility of the message that asks: another facility's resources do not exist.
DO $$
BEGIN
  ALTER TABLE intake.sent_resource ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON intake.sent_resource;
  CREATE POLICY deciding ON intake.sent_resource TO auth_owner USING (true) WITH CHECK (true);
END $$;

CREATE OR REPLACE FUNCTION intake.sent_resources(message uuid, lookups bytea[])
RETURNS TABLE (lookup bytea, citizen_id uuid, visit_source_id text, kind text, key text, parts int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.lookup, r.citizen_id, r.visit_source_id, r.kind, r.key, r.parts
    FROM intake.message m JOIN intake.sent_resource r ON r.facility_code = m.facility_code
   WHERE m.id = message AND r.lookup = ANY (lookups)
$$;

-- Which resources made the prescriptions and reports of one visit, of how many each was made, and which lines are a result's. Of the
-- person's resources, which are few: a plan that begins at the facility reads all that it has sent.
DROP FUNCTION IF EXISTS intake.told_before(uuid, uuid, text);
CREATE OR REPLACE FUNCTION intake.told_before(message uuid, citizen uuid, visit text)
RETURNS TABLE (lookup bytea, kind text, key text, parts int, lines bytea[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.lookup, r.kind, r.key, r.parts, r.lines FROM (SELECT o.* FROM intake.sent_resource o WHERE o.citizen_id = citizen OFFSET 0) r
   WHERE r.facility_code = (SELECT m.facility_code FROM intake.message m WHERE m.id = message) AND citizen = ANY (auth.filing_citizens())
     AND r.visit_source_id = visit AND r.kind IN ('PRESCRIPTION', 'TEST_REPORT')
$$;

-- Records that a unit of a message is about the person behind a Patient that the facility sent before, so that open_filing
-- may open the book. NULL when it sent none.
CREATE OR REPLACE FUNCTION auth.match_sent_patient(message uuid, visit_position int, visit_id text, lookups bytea[]) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (SELECT m.facility_code FROM intake.message m WHERE m.id = message); citizen uuid; home uuid;
BEGIN
  citizen := (SELECT r.citizen_id FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = ANY (lookups) LIMIT 1);
  home := auth.home_of(facility, visit_id);
  IF citizen IS NULL OR home <> citizen THEN
    RETURN NULL;
  END IF;
  INSERT INTO auth.filing AS f VALUES (message, visit_position, citizen, facility, visit_id)
      ON CONFLICT (message_id, "position") DO UPDATE SET citizen_id = excluded.citizen_id;
  RETURN citizen;
END $$;
REVOKE ALL ON FUNCTION intake.sent_resources, intake.told_before, auth.match_sent_patient FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.sent_resources, intake.told_before, auth.match_sent_patient TO worker;
