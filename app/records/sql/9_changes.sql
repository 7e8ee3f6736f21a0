-- owner: book_owner
-- What changed in the open book since a cursor, as its caller: it sees what the reader's policies show.
-- Who sees every record is told of each record that changed or is gone. Whoever sees less gets everything that they see,
-- again and again (`is_reset`): a tombstone would tell of a record that was hidden before they could see it.
-- A cursor: system.horizon[.mark]. All transactions below the horizon were over at the first page: what commits later is
-- told next time, some of it twice. `mark` is a page's last entry: an id, or transaction and id. Another book's begins anew, and one from before a restore.
CREATE OR REPLACE FUNCTION book.records_here(citizen uuid) RETURNS TABLE (id uuid, kind text, version int)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, 'VISIT', r.version FROM book.visit r WHERE r.citizen_id = citizen
  UNION ALL SELECT r.id, 'PRESCRIPTION', r.version FROM book.prescription r WHERE r.citizen_id = citizen
  UNION ALL SELECT r.id, 'VACCINATION', r.version FROM book.vaccination r WHERE r.citizen_id = citizen AND r.id = r.dose_id
  UNION ALL SELECT r.id, 'TEST_REPORT', r.version FROM book.test_report r WHERE r.citizen_id = citizen
  UNION ALL SELECT r.id, 'IMAGING', r.version FROM book.imaging_study r WHERE r.citizen_id = citizen
  UNION ALL SELECT r.id, 'DOCUMENT', r.version FROM book.document r WHERE r.citizen_id = citizen
  UNION ALL SELECT r.id, 'CONDITION', r.version FROM book.condition r WHERE r.citizen_id = citizen
  UNION ALL SELECT r.id, 'ALLERGY', r.version FROM book.allergy r WHERE r.citizen_id = citizen
  UNION ALL SELECT a.id, 'APPOINTMENT', a.sequence + 1 FROM care.appointment a WHERE a.citizen_id = citizen
$$;

-- The last change of each record, from a transaction on. Doses are gathered anew with each change of one: all count.
CREATE OR REPLACE FUNCTION book.changed_since(citizen uuid, horizon xid8) RETURNS TABLE (id uuid, kind text, changed_in xid8)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.record_id, v.kind, max(v.changed_in) FROM book.record_version v
   WHERE v.citizen_id = citizen AND v.changed_in >= horizon AND v.version > 0 AND v.kind <> 'VACCINATION' GROUP BY 1, 2
  UNION ALL
  SELECT DISTINCT v.record_id, v.kind, latest.changed_in FROM book.record_version v, (
    SELECT max(c.changed_in) AS changed_in FROM (
      SELECT o.changed_in FROM book.record_version o WHERE o.citizen_id = citizen AND o.kind = 'VACCINATION' AND o.changed_in >= horizon
      UNION ALL SELECT r.changed_in FROM book.reported_reaction r WHERE r.citizen_id = citizen AND r.changed_in >= horizon) c) latest
   WHERE v.citizen_id = citizen AND v.kind = 'VACCINATION' AND v.version > 0 AND latest.changed_in IS NOT NULL
  UNION ALL
  SELECT a.id, 'APPOINTMENT', a.changed_in FROM care.appointment a WHERE a.citizen_id = citizen AND a.changed_in >= horizon
$$;

CREATE OR REPLACE FUNCTION book.changes(citizen uuid, since text, first int, OUT cursor text, OUT is_reset boolean, OUT has_more boolean, OUT entries jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sees_all boolean := (current_setting('book.sections'), current_setting('book.unmasked'), current_setting('book.sensitive')) = ('1023', 'true', '63');
  system text := left(encode(sha256(convert_to(concat_ws('|', (pg_control_system()).system_identifier, citizen, sees_all, (SELECT b.restored_at FROM auth.book b WHERE b.citizen_id = citizen)), 'UTF8')), 'hex'), 16);
  told text[] := regexp_match(since, '^([0-9a-f]{16})\.([0-9]{1,19})(?:\.(?:([0-9]{1,19})\.)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$');
  horizon xid8 := pg_snapshot_xmin(pg_current_snapshot()); mark text;
BEGIN
  first := coalesce(first, 200);
  IF first NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'first is 1 to 1000' USING ERRCODE = 'SK422';
  END IF;
  told := CASE WHEN told[1] = system AND told[2]::numeric <= pg_snapshot_xmax(pg_current_snapshot())::text::numeric THEN told ELSE '{}' END;
  is_reset := told[1] IS NULL OR NOT sees_all OR told[4] IS NOT NULL AND told[3] IS NULL;
  WITH listed AS (
    SELECT h.id, h.kind, h.version, '0'::xid8 AS place FROM book.records_here(citizen) h WHERE is_reset AND (told[4] IS NULL OR h.id > told[4]::uuid)
    UNION ALL
    SELECT c.id, c.kind, h.version, c.changed_in FROM book.changed_since(citizen, coalesce(told[3], told[2])::xid8) c LEFT JOIN book.records_here(citizen) h ON h.id = c.id
     WHERE NOT is_reset AND (told[4] IS NULL OR (c.changed_in, c.id) > (told[3]::xid8, told[4]::uuid))
  ), page AS (SELECT l.*, row_number() OVER (ORDER BY l.place, l.id) AS n FROM listed l ORDER BY l.place, l.id LIMIT first + 1)
  SELECT coalesce(jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.n) FILTER (WHERE p.n <= first), '[]'), count(*) > first,
         max(CASE WHEN is_reset THEN '' ELSE p.place::text || '.' END || p.id) FILTER (WHERE p.n = first) INTO entries, has_more, mark FROM page p;
  cursor := concat_ws('.', system, CASE WHEN told[4] IS NULL THEN horizon::text ELSE told[2] END, CASE WHEN has_more THEN mark END);
END $$;
REVOKE ALL ON FUNCTION book.records_here, book.changed_since, book.changes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.records_here, book.changed_since, book.changes TO book_reader;
