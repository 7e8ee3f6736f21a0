-- owner: book_owner
-- Who sees a row of health data: `book_reader` while a book is open (its sections, dates, facilities, records, classes and
-- masks), `worker` for the books that open_filing opened, `book_writer` for the one that open_writing opened. No policy
-- filters to an empty book: with none open each raises 28000, for an empty list of allergies is a clinical danger.
DO $$
DECLARE
  t record;
  opened text;
  says jsonb := '{
    "sections": "coalesce(nullif(current_setting(''book.sections'', true), ''''), auth.no_book())::int",
    "citizen": "current_setting(''book.citizen'')::uuid", "whole": "current_setting(''book.whole'')::boolean",
    "decision": "auth.decided()"}';
BEGIN
  FOR t IN SELECT * FROM book.guarded() LOOP
    EXECUTE format('ALTER TABLE book.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format('DROP POLICY IF EXISTS open_book ON book.%I', t.name);
    EXECUTE format('CREATE POLICY open_book ON book.%I FOR SELECT TO book_reader USING (%s)', t.name,
      book.condition(t.name, t.bits, t.dated, t.ids, t.parent, t.key, says));
    EXECUTE format('GRANT SELECT ON book.%I TO book_reader', t.name);
    EXECUTE format('DROP POLICY IF EXISTS open_writing ON book.%I', t.name);
    EXECUTE format('CREATE POLICY open_writing ON book.%1$I TO book_writer USING (%2$s) WITH CHECK (%2$s)', t.name,
      'citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[])');
    SELECT string_agg(quote_ident(c), ', ') INTO opened FROM (SELECT a.attname AS c FROM pg_attribute a
      WHERE a.attrelid = format('book.%I', t.name)::regclass AND a.attname = ANY (ARRAY['citizen_id', t.key, 'masked', 'sensitive', 'facility_code',
        CASE WHEN t.may_be_masked OR t.name = 'withdrawal' THEN 'source_id' END,
        CASE t.name WHEN 'withdrawal' THEN 'kind' END, 'visit_source_id'] || t.ids)) granted;
    EXECUTE format('GRANT SELECT (%s), UPDATE (masked) ON book.%I TO book_writer', opened, t.name);
  END LOOP;
  FOR t IN SELECT g.name FROM book.guarded() g UNION ALL VALUES ('record_version'), ('arrival_order') LOOP
    -- record_version and arrival_order tell of every section and mask in one text: nobody reads them
    EXECUTE format('ALTER TABLE book.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format('DROP POLICY IF EXISTS open_filing ON book.%I', t.name);
    EXECUTE format('CREATE POLICY open_filing ON book.%I TO worker
        USING (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]))
        WITH CHECK (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]))', t.name);
    EXECUTE format('GRANT SELECT, INSERT ON book.%I TO worker', t.name);
    IF t.name <> 'record_version' THEN  -- versions are append-only
      EXECUTE format('GRANT UPDATE, DELETE ON book.%I TO worker', t.name);
    END IF;
  END LOOP;
END $$;
DROP POLICY IF EXISTS open_writing ON book.arrival_order;
CREATE POLICY open_writing ON book.arrival_order TO book_writer USING (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]));
GRANT SELECT (citizen_id, facility_code, source_id), UPDATE (hidden) ON book.arrival_order TO book_writer;
GRANT USAGE ON SCHEMA book TO book_reader, book_writer, desk, worker;
GRANT CREATE ON SCHEMA book TO book_writer;  -- its functions stand beside the tables that they change
