-- owner: book_owner
-- Files the test reports of one visit; those that the message no longer holds are withdrawn. Returns what became of each: its key in the visit and ADDED, REPLACED, UNCHANGED or WITHDRAWN.
DROP FUNCTION IF EXISTS book.file_reports(uuid, uuid, boolean, jsonb, jsonb);
CREATE OR REPLACE FUNCTION book.file_reports(citizen uuid, visit uuid, arrived jsonb, provenance jsonb,
                                             OUT changes jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  of_masked_visit boolean; source text;
  one jsonb; known book.test_report; filed book.test_report; change text;
BEGIN
  SELECT v.masked, v.source_id INTO of_masked_visit, source FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit;
  changes := book.withdraw_missing(citizen, visit, 'TEST_REPORT',
    ARRAY(SELECT e->>'source_id' FROM jsonb_array_elements(arrived) e), provenance);
  FOR one IN SELECT jsonb_array_elements(arrived) LOOP
    filed := jsonb_populate_record(NULL::book.test_report, one || provenance);
    SELECT r.* INTO known FROM book.test_report r
     WHERE r.citizen_id = citizen AND r.visit_id = visit AND r.source_id = filed.source_id FOR UPDATE;
    filed.id := coalesce(known.id, filed.id);
    filed.citizen_id := citizen; filed.visit_id := visit; filed.filed_at := now();
    filed.masked := CASE WHEN known.id IS NULL THEN book.was_hidden(citizen, filed.facility_code, source, 'TEST_REPORT ' || filed.source_id) OR coalesce(of_masked_visit, false)
                    ELSE known.masked END;
    SELECT n.change, n.version INTO change, filed.version FROM book.note_version(
      citizen, filed.id, 'TEST_REPORT', known.digest, known.version, provenance, filed.digest, one - 'id' - 'digest') n;
    changes := changes || jsonb_build_object(filed.source_id, change);
    CONTINUE WHEN change = 'UNCHANGED';
    IF change = 'REPLACED' THEN
      DELETE FROM book.test_report r WHERE r.citizen_id = citizen AND r.id = filed.id;
    END IF;
    INSERT INTO book.test_report SELECT filed.*;
    INSERT INTO book.test_result (citizen_id, report_id, line, masked, code, name, value_text, value, unit, resulted_at,
      reference_range, interpretation)
    SELECT citizen, filed.id, i.line, filed.masked, i.code, i.name, i.value_text, i.value, i.unit, filed.resulted_at, i.reference_range, i.interpretation
      FROM jsonb_populate_recordset(NULL::book.test_result, one->'results') i;
  END LOOP;
END $$;

REVOKE ALL ON FUNCTION book.file_reports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_reports TO worker;
