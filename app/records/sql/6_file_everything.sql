-- owner: book_owner
-- Files everything that a message says of one visit, in one round trip, and tells readers when the book changed.
-- A table that was not sent is NULL and leaves what was filed before alone. Returns the records as
-- [{kind, key, change}], ADDED, REPLACED, UNCHANGED or WITHDRAWN.
CREATE OR REPLACE FUNCTION book.file_arrival(citizen uuid, visit_arrived jsonb, prescriptions jsonb, reports jsonb, provenance jsonb)
RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  filed record;
  records jsonb;
BEGIN
  filed := book.file_visit(citizen, visit_arrived, provenance);
  records := jsonb_build_array(jsonb_build_object('kind', 'VISIT', 'key', visit_arrived->>'source_id', 'change', filed.change));
  IF prescriptions IS NOT NULL THEN
    records := records || (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', 'PRESCRIPTION', 'key', c.key, 'change', c.value)), '[]')
      FROM jsonb_each_text(book.file_prescriptions(citizen, filed.visit, filed.change = 'ADDED', prescriptions, provenance)) c);
  END IF;
  IF reports IS NOT NULL THEN
    records := records || (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', 'TEST_REPORT', 'key', c.key, 'change', c.value)), '[]')
      FROM jsonb_each_text(book.file_reports(citizen, filed.visit, filed.change = 'ADDED', reports, provenance)) c);
  END IF;
  IF records @? '$[*].change ? (@ != "UNCHANGED")' THEN
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.file_arrival FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_arrival TO worker;
