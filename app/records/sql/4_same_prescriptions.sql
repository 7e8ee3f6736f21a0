-- owner: book_owner
-- Which prescriptions that arrive are ones that rest under another key: they came by the other door, and one of the two doors
-- alone tells the prescription's own code, which ends its key. Resting key to told key.
-- One that holds fewer drugs is not taken for it: drugs would be lost.
CREATE OR REPLACE FUNCTION book.same_prescriptions(citizen uuid, visit uuid, arrived jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH told AS (
    SELECT e->>'source_id' AS key, upper(e->>'code') AS code, jsonb_array_length(e->'items') AS drugs
      FROM jsonb_array_elements(arrived) e),
  rests AS (
    SELECT p.id, p.source_id AS key, upper(p.code) AS code, p.standard_version FROM book.prescription p
     WHERE p.citizen_id = citizen AND p.visit_id = visit),
  same AS (
    SELECT DISTINCT ON (t.key) r.key AS resting, t.key AS told
      FROM told t JOIN rests r ON t.key = r.key || ':' || t.code OR r.key = t.key || ':' || r.code
     WHERE r.standard_version <> provenance->>'standard_version'
       AND t.key NOT IN (SELECT key FROM rests) AND r.key NOT IN (SELECT key FROM told)
       AND t.drugs >= (SELECT count(*) FROM book.prescription_item i WHERE i.citizen_id = citizen AND i.prescription_id = r.id)
     ORDER BY t.key, r.key)
  SELECT coalesce(jsonb_object_agg(s.resting, s.told), '{}') FROM same s
$$;
REVOKE ALL ON FUNCTION book.same_prescriptions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.same_prescriptions TO worker;
