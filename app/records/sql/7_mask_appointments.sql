-- owner: book_writer
-- Hides appointments of an open book, or shows them again: those that are named, and those that a named visit or
-- re-examination paper tells. SK409: shown again alone, though the visit that tells it is hidden.
CREATE OR REPLACE FUNCTION book.mask_appointments(citizen uuid, wanted uuid[], hidden boolean, OUT found_count int, OUT changed int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE of_visit text := '^visit ([0-9a-f-]{36}) ';
BEGIN
  SELECT count(*), count(*) FILTER (WHERE a.masked <> hidden) INTO found_count, changed FROM care.appointment a
   WHERE a.citizen_id = citizen AND a.id = ANY (wanted);
  PERFORM FROM care.appointment a JOIN book.visit v ON v.citizen_id = citizen AND v.id::text = substring(a.source_id FROM of_visit)
   WHERE NOT hidden AND a.citizen_id = citizen AND a.id = ANY (wanted) AND v.masked AND v.id <> ALL (wanted);
  IF FOUND THEN
    RAISE EXCEPTION 'its visit is hidden' USING ERRCODE = 'SK409';
  END IF;
  UPDATE care.appointment a SET masked = hidden WHERE a.citizen_id = citizen AND a.masked <> hidden
     AND (a.id = ANY (wanted) OR substring(a.source_id FROM of_visit) = ANY (wanted::text[]) OR EXISTS (SELECT FROM book.document d
       WHERE d.citizen_id = citizen AND d.id = ANY (wanted) AND a.source_id = 'visit ' || d.visit_id || ' paper ' || d.source_id));
END $$;
REVOKE ALL ON FUNCTION book.mask_appointments FROM PUBLIC;
