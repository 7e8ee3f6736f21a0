-- owner: book_owner
-- only: demo
-- Demo mode's login reads tables while open_demo_book has a book open; its decision is a row, not a setting.
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT * FROM (VALUES
    ('visit', 1, 'started_at'), ('visit_diagnosis', 1 | 64, 'recorded_at'), ('visit_insurance', 1 | 256, 'shown_at'),
    ('visit_service', 1, NULL), ('prescription', 2, 'ordered_at'), ('prescription_item', 2, NULL),
    ('test_report', 8, 'resulted_at'), ('test_result', 8, 'resulted_at'),
    ('document', 32, 'dated_at'), ('progress_note', 32, 'noted_at'), ('vital_signs', 1 | 32, 'measured_at'),
    ('withdrawal', 1, 'dated_at'), ('vaccination', 4, 'injected_at'), ('vaccination_reaction', 4, NULL), ('reported_reaction', 4, NULL),
    ('imaging_study', 16, 'started_at'), ('condition', 64, 'recorded_at'), ('allergy', 128, NULL), ('allergy_reaction', 128, NULL)
  ) AS guarded(name, bits, dated) LOOP
    EXECUTE format('DROP POLICY IF EXISTS demo_book ON book.%I', t.name);
    EXECUTE format('CREATE POLICY demo_book ON book.%I FOR SELECT TO demo USING (
        citizen_id = (SELECT CASE WHEN w.sections & %s <> 0 THEN w.citizen_id END FROM auth.demo_window() w)', t.name, t.bits)
      || CASE WHEN t.dated IS NULL THEN '' ELSE format('
        AND %1$I >= (SELECT w.since FROM auth.demo_window() w)
        AND %1$I < (SELECT w.until FROM auth.demo_window() w)', t.dated) END || '
        AND (NOT masked OR (SELECT w.unmasked FROM auth.demo_window() w)))';
    EXECUTE format('GRANT SELECT ON book.%I TO demo', t.name);
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA book, code TO demo;
GRANT SELECT ON code.entry, code.scheduled_dose TO demo;
GRANT EXECUTE ON FUNCTION book.due_doses TO demo;
