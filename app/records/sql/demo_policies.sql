-- owner: book_owner
-- only: demo
-- Demo mode's login reads tables while a book is open for it; its decision is a row, not settings.
DO $$
DECLARE
  t record;
  says jsonb := '{
    "sections": "(auth.demo_window()).sections", "citizen": "(auth.demo_window()).citizen_id",
    "whole": "(auth.demo_window()).whole", "decision": "auth.demo_window()"}';
BEGIN
  FOR t IN SELECT * FROM book.guarded() LOOP
    EXECUTE format('DROP POLICY IF EXISTS demo_book ON book.%I', t.name);
    EXECUTE format('CREATE POLICY demo_book ON book.%I FOR SELECT TO demo USING (%s)', t.name,
      book.condition(t.name, t.bits, t.dated, t.ids, t.parent, t.key, says));
    EXECUTE format('GRANT SELECT ON book.%I TO demo', t.name);
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA book, code TO demo;
GRANT SELECT ON code.entry, code.scheduled_dose, code.test_unit, code.reuse_rule TO demo;
GRANT EXECUTE ON FUNCTION book.due_doses, book.reusable, book.is_positive, book.level_of, book.reuse_advice, book.coverage_gaps, book.runs_until, book.is_running, book.shown, book.shown_with, book.sources_of TO demo;
