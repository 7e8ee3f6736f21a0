-- owner: book_owner
-- only: demo
DROP POLICY IF EXISTS receipts_of_demo ON book.record_version;
CREATE POLICY receipts_of_demo ON book.record_version FOR SELECT TO demo USING (
  citizen_id = (SELECT CASE WHEN w.sections = 1023 AND w.unmasked THEN w.citizen_id END FROM auth.demo_window() w));
GRANT SELECT (citizen_id, record_id, version, kind, change, facility_code, filed_at, changed_in, message_id) ON book.record_version TO demo;
GRANT EXECUTE ON FUNCTION book.records_here, book.changed_since, book.changes TO demo;
