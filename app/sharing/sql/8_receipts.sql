-- owner: auth_owner
-- The lines of which a receipt is made, while the book of their citizen is open to who sees everything of it.
DROP POLICY IF EXISTS receipts ON audit.line;
CREATE POLICY receipts ON audit.line FOR SELECT TO book_reader USING (
  citizen_id = (SELECT CASE WHEN coalesce(nullif(current_setting('book.sections', true), ''), auth.no_book())::int = 1023
                             AND current_setting('book.unmasked')::boolean THEN current_setting('book.citizen')::uuid END));
GRANT USAGE ON SCHEMA audit TO book_reader;
GRANT SELECT (citizen_id, n, at, category, about) ON audit.line TO book_reader;
