-- owner: book_owner
-- The receipt of a view: which versions of which records there were. For who stands for the owner and sees everything,
-- and without what the versions say: that text holds every section and mask.
DROP POLICY IF EXISTS receipts ON book.record_version;
CREATE POLICY receipts ON book.record_version FOR SELECT TO book_reader USING (
  citizen_id = (SELECT CASE WHEN coalesce(nullif(current_setting('book.sections', true), ''), auth.no_book())::int = 1023
                             AND current_setting('book.unmasked')::boolean THEN current_setting('book.citizen')::uuid END));
GRANT SELECT (citizen_id, record_id, version, kind, change, facility_code, filed_at, changed_in, message_id) ON book.record_version TO book_reader;
