-- owner: book_owner
-- Files everything that a message says of one visit, in one round trip, and tells readers when the book changed.
-- A table that was not sent is NULL and leaves what was filed before alone; what a message says that arrived before
-- the one that was filed is OUTDATED. Returns the records as [{kind, key, change}]: ADDED, REPLACED, UNCHANGED,
-- WITHDRAWN or OUTDATED.
CREATE OR REPLACE FUNCTION book.file_arrival(citizen uuid, visit_arrived jsonb, prescriptions jsonb, reports jsonb, provenance jsonb)
RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  filed record;
  resting book.visit;
  arrived timestamptz := (provenance->>'arrived_at')::timestamptz;
  prescribed jsonb := '{}';
  reported jsonb := '{}';
  records jsonb;
BEGIN
  filed := book.file_visit(citizen, visit_arrived, provenance);
  SELECT v.* INTO resting FROM book.visit v WHERE v.citizen_id = citizen AND v.id = filed.visit;
  IF resting.prescriptions_arrived_at > arrived THEN
    prescribed := (SELECT coalesce(jsonb_object_agg(e->>'source_id', 'OUTDATED'), '{}') FROM jsonb_array_elements(prescriptions) e);
  ELSIF prescriptions IS NOT NULL THEN
    prescribed := book.file_prescriptions(citizen, filed.visit, filed.change = 'ADDED', prescriptions, provenance);
  END IF;
  IF resting.reports_arrived_at > arrived THEN
    reported := (SELECT coalesce(jsonb_object_agg(e->>'source_id', 'OUTDATED'), '{}') FROM jsonb_array_elements(reports) e);
  ELSIF reports IS NOT NULL THEN
    reported := book.file_reports(citizen, filed.visit, filed.change = 'ADDED', reports, provenance);
  END IF;
  UPDATE book.visit v SET
      prescriptions_arrived_at = CASE WHEN prescriptions IS NULL THEN v.prescriptions_arrived_at ELSE greatest(v.prescriptions_arrived_at, arrived) END,
      reports_arrived_at = CASE WHEN reports IS NULL THEN v.reports_arrived_at ELSE greatest(v.reports_arrived_at, arrived) END
   WHERE v.citizen_id = citizen AND v.id = filed.visit;
  records := jsonb_build_array(jsonb_build_object('kind', 'VISIT', 'key', visit_arrived->>'source_id', 'change', filed.change))
    || (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'key', r.key, 'change', r.value)), '[]') FROM (
          SELECT 'PRESCRIPTION' AS kind, p.key, p.value FROM jsonb_each_text(prescribed) p
          UNION ALL SELECT 'TEST_REPORT', t.key, t.value FROM jsonb_each_text(reported) t) r);
  IF records @? '$[*].change ? (@ != "UNCHANGED" && @ != "OUTDATED")' THEN
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.file_arrival FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_arrival TO worker;
