-- owner: auth_owner
-- What of identity a book's reader sees: the person whose book is open.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['book', 'filing', 'filing_window', 'reading_window'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;

DROP POLICY IF EXISTS open_book ON auth.citizen;
CREATE POLICY open_book ON auth.citizen FOR SELECT TO book_reader
  USING (id = (SELECT coalesce(nullif(current_setting('book.citizen', true), ''), auth.no_book())::uuid));
DROP POLICY IF EXISTS open_book ON auth.identifier;
CREATE POLICY open_book ON auth.identifier FOR SELECT TO book_reader
  USING (citizen_id = (SELECT coalesce(nullif(current_setting('book.citizen', true), ''), auth.no_book())::uuid));
DROP POLICY IF EXISTS open_book ON auth.book;
CREATE POLICY open_book ON auth.book FOR SELECT TO book_reader
  USING (citizen_id = (SELECT coalesce(nullif(current_setting('book.citizen', true), ''), auth.no_book())::uuid));
GRANT SELECT ON auth.citizen, auth.identifier, auth.book TO book_reader;
