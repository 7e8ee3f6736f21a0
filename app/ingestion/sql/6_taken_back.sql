-- owner: auth_owner
-- Names of resources that a facility took back before they came (FHIR), each with the rank of its newest withdrawal: what was made
-- before it and comes later is withdrawn at once. Names rest as blind indexes, as those of intake.sent_resource.
DO $$
BEGIN
  ALTER TABLE intake.taken_back ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON intake.taken_back;
  CREATE POLICY deciding ON intake.taken_back TO auth_owner USING (true) WITH CHECK (true);
END $$;

CREATE OR REPLACE FUNCTION intake.note_taken_back(message uuid, lookups bytea[], rank text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO intake.taken_back AS t (facility_code, lookup, rank)
  SELECT DISTINCT m.facility_code, l, note_taken_back.rank FROM intake.message m, unnest(lookups) l WHERE m.id = message
  ON CONFLICT (facility_code, lookup) DO UPDATE SET rank = greatest(t.rank, excluded.rank)
$$;

-- Remembers what resources became, in books that are open for filing, and takes up what waited for a Patient or an Encounter. Returns the names that were taken back before they came, with
-- the rank of the withdrawal.
DROP FUNCTION IF EXISTS intake.note_resources(uuid, jsonb);
CREATE OR REPLACE FUNCTION intake.note_resources(message uuid, told jsonb) RETURNS TABLE (lookup bytea, rank text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO intake.sent_resource AS r (facility_code, lookup, citizen_id, visit_source_id, kind, key, parts, lines, message_id)
  SELECT DISTINCT ON (t.lookup) m.facility_code, t.lookup, t.citizen_id, t.visit_source_id, t.kind, t.key, t.parts, t.lines, m.id
    FROM intake.message m, jsonb_populate_recordset(NULL::intake.sent_resource, told) t
   WHERE m.id = message AND t.citizen_id = ANY (auth.filing_citizens())
  ON CONFLICT (facility_code, lookup) DO UPDATE SET (citizen_id, visit_source_id, kind, key, parts, lines, message_id)
    = (excluded.citizen_id, excluded.visit_source_id, excluded.kind, excluded.key, excluded.parts, coalesce(excluded.lines, r.lines), excluded.message_id)
   WHERE (r.citizen_id, r.visit_source_id, r.kind, r.key, r.parts, r.lines)
     IS DISTINCT FROM (excluded.citizen_id, excluded.visit_source_id, excluded.kind, excluded.key, excluded.parts, coalesce(excluded.lines, r.lines));
  SELECT intake.take_up(ARRAY(SELECT t.lookup FROM jsonb_populate_recordset(NULL::intake.sent_resource, told) t WHERE t.kind IN ('PATIENT', 'VISIT')),
    (SELECT m.facility_code FROM intake.message m WHERE m.id = message));
  SELECT b.lookup, b.rank FROM intake.message m JOIN intake.taken_back b ON b.facility_code = m.facility_code
   WHERE m.id = message AND b.lookup IN (SELECT t.lookup FROM jsonb_populate_recordset(NULL::intake.sent_resource, told) t);
$$;

REVOKE ALL ON FUNCTION intake.note_taken_back, intake.note_resources FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.note_taken_back, intake.note_resources TO worker;
