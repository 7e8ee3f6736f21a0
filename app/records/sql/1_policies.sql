-- owner: book_owner
-- Who sees a row of health data: `book_reader` while open_book has a book open (its sections, dates and masks), and
-- `worker` for the books that open_filing opened. No policy filters to an empty book: with none open each raises 28000,
-- for an empty list of allergies is a clinical danger. Bits are those of BookSection (app/sharing/scope.py).
DO $$
DECLARE
  t record;
  decided text := 'coalesce(nullif(current_setting(''book.sections'', true), ''''), auth.no_book())';
BEGIN
  FOR t IN SELECT * FROM (VALUES
    ('visit', 1, 'started_at'), ('visit_diagnosis', 1 | 64, 'recorded_at'), ('visit_insurance', 1 | 256, 'shown_at'),
    ('visit_service', 1, NULL), ('prescription', 2, 'ordered_at'), ('prescription_item', 2, NULL),
    ('test_report', 8, 'resulted_at'), ('test_result', 8, 'resulted_at'),
    ('document', 32, 'dated_at'), ('progress_note', 32, 'noted_at'), ('vital_signs', 1 | 32, 'measured_at'),
    ('withdrawal', 1, 'dated_at'), ('vaccination', 4, 'injected_at'), ('vaccination_reaction', 4, NULL), ('reported_reaction', 4, NULL),
    ('imaging_study', 16, 'started_at'), ('condition', 64, 'recorded_at'), ('allergy', 128, NULL), ('allergy_reaction', 128, NULL),
    ('record_version', NULL, NULL),  -- every section and mask in one text: nobody reads it
    ('arrival_order', NULL, NULL)
  ) AS guarded(name, bits, dated) LOOP
    EXECUTE format('ALTER TABLE book.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format('DROP POLICY IF EXISTS open_book ON book.%I', t.name);
    IF t.bits IS NOT NULL THEN
      EXECUTE format('CREATE POLICY open_book ON book.%I FOR SELECT TO book_reader USING (
          citizen_id = (SELECT CASE WHEN %s::int & %s <> 0 THEN current_setting(''book.citizen'')::uuid END)', t.name, decided, t.bits)
        || CASE WHEN t.dated IS NULL THEN '' ELSE format('
          AND %1$I >= (SELECT current_setting(''book.since'')::timestamptz)
          AND %1$I < (SELECT current_setting(''book.until'')::timestamptz)', t.dated) END || '
          AND (NOT masked OR current_setting(''book.unmasked'')::boolean))';
      EXECUTE format('GRANT SELECT ON book.%I TO book_reader', t.name);
    END IF;
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
GRANT USAGE ON SCHEMA book TO book_reader, worker;
