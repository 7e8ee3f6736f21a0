-- owner: auth_owner
-- Who sees a row of care to come: its owner's functions; of slots every signed-in person; of their own appointments,
-- waiting and offers a citizen; of appointments the open book's reader (bit 512 of BookSection), and who hides records of it.
DO $$
DECLARE
  t record;
  opened text := 'coalesce(nullif(current_setting(''book.sections'', true), ''''), auth.no_book())';
BEGIN
  FOR t IN SELECT * FROM (VALUES ('booking_rule', NULL), ('schedule', NULL), ('calendar_feed', NULL), ('slot', 'withdrawn_at IS NULL'),
    ('appointment', 'care.may_see_appointment(citizen_id, id)'), ('waitlist_entry', 'care.may_see_entry(citizen_id, id)'),
    ('waitlist_offer', 'care.may_see_offer(citizen_id, id)')) AS guarded(name, shown) LOOP
    EXECUTE format('ALTER TABLE care.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON care.%I', t.name);
    EXECUTE format('CREATE POLICY deciding ON care.%I TO auth_owner USING (true) WITH CHECK (true)', t.name);
    EXECUTE format('DROP POLICY IF EXISTS own ON care.%I', t.name);
    IF t.shown IS NOT NULL THEN
      EXECUTE format('CREATE POLICY own ON care.%I FOR SELECT TO desk USING (%s)', t.name, CASE WHEN t.name = 'slot' THEN t.shown
        ELSE format('citizen_id = (SELECT auth.me()) OR citizen_id = ANY ((SELECT care.mine())::uuid[]) AND %s', t.shown) END);
      EXECUTE format('GRANT SELECT ON care.%I TO desk', t.name);
    END IF;
  END LOOP;
  DROP POLICY IF EXISTS open_writing ON care.appointment;
  CREATE POLICY open_writing ON care.appointment TO book_writer USING (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]))
    WITH CHECK (citizen_id = ANY ((SELECT auth.filing_citizens())::uuid[]));
  DROP POLICY IF EXISTS open_book ON care.appointment;
  EXECUTE format('CREATE POLICY open_book ON care.appointment FOR SELECT TO book_reader USING (
    citizen_id = (SELECT CASE WHEN %s::int & 512 <> 0 THEN current_setting(''book.citizen'')::uuid END)
    AND starts_at >= (SELECT current_setting(''book.since'')::timestamptz)
    AND starts_at < (SELECT current_setting(''book.until'')::timestamptz)
    AND (NOT masked OR current_setting(''book.unmasked'')::boolean)
    AND (sensitive = 0 OR sensitive & ~current_setting(''book.sensitive'')::int = 0)
    AND ((SELECT current_setting(''book.whole'')::boolean)
      OR ((SELECT nullif(current_setting(''book.facilities''), '''')) IS NULL OR facility_code = ANY ((SELECT nullif(current_setting(''book.facilities''), ''''))::text[]))
        AND ((SELECT nullif(current_setting(''book.records''), '''')) IS NULL OR id = ANY ((SELECT nullif(current_setting(''book.records''), ''''))::uuid[]))))', opened);
END $$;
GRANT USAGE ON SCHEMA care TO desk, book_reader, book_writer, book_owner, worker, ingest;
GRANT SELECT (citizen_id, id, facility_code, source_id, masked), UPDATE (masked) ON care.appointment TO book_writer;
GRANT SELECT ON care.appointment TO book_reader;
DROP FUNCTION IF EXISTS care.may_see(uuid, boolean, int);  -- of an older release: it answered for made-up rows
