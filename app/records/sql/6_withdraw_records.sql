-- owner: book_owner
-- Removes what a withdrawal cancels among the records of one kind: all of the parts that are gone, or the one record that
-- was named. Returns key and change of each.
CREATE OR REPLACE FUNCTION book.withdraw_cancelled(kind text, citizen uuid, visit uuid, gone text[], asked jsonb, provenance jsonb)
RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted text := asked->>'kind';
  kept text[];
BEGIN
  IF wanted NOT IN ('VISIT', kind) THEN
    RETURN '{}';
  END IF;
  EXECUTE format('SELECT array_agg(r.source_id) FROM %s r WHERE r.citizen_id = $1 AND r.visit_id = $2
      AND NOT (CASE WHEN $6 ? ($7 || '' '' || r.source_id) THEN $7 || '' '' || r.source_id ELSE %s END = ANY ($3)
      AND ($4 = ''VISIT'' OR r.source_id = $5))', book.resting_place(kind),
      CASE kind WHEN 'PRESCRIPTION' THEN '''PRESCRIPTIONS''' WHEN 'TEST_REPORT' THEN '''REPORTS''' ELSE 'r.kind' END)
    INTO kept USING citizen, visit, gone, wanted, asked->>'key', asked->'ranks', kind;
  RETURN book.withdraw_missing(citizen, visit, kind, coalesce(kept, '{}'), provenance);
END $$;
REVOKE ALL ON FUNCTION book.withdraw_cancelled FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.withdraw_cancelled TO worker;
