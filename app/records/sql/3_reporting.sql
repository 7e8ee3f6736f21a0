-- owner: book_owner
-- What `book_writer` sees and adds when a citizen reports a reaction: the doses of the one book that is open, and reports.
DROP POLICY IF EXISTS reporting ON book.vaccination;
CREATE POLICY reporting ON book.vaccination FOR SELECT TO book_writer USING (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]));
DROP POLICY IF EXISTS reporting ON book.reported_reaction;
CREATE POLICY reporting ON book.reported_reaction TO book_writer
  USING (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[])) WITH CHECK (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]));
GRANT SELECT (citizen_id, id, dose_id, status, injected_at, antigens, masked) ON book.vaccination TO book_writer;
GRANT SELECT, INSERT ON book.reported_reaction TO book_writer;
GRANT USAGE ON SCHEMA book TO book_writer, desk;
GRANT CREATE ON SCHEMA book TO book_writer;  -- its functions stand beside the tables that they change
