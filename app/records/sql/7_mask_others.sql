-- owner: book_writer
-- Hides appointments of an open book, or shows them again: those that are named, and those that a named visit or
-- re-examination paper tells. SK409: shown again alone, though the visit that tells it is hidden.
CREATE OR REPLACE FUNCTION book.mask_appointments(citizen uuid, wanted uuid[], hidden boolean, OUT found_count int, OUT changed int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  SELECT count(*), count(*) FILTER (WHERE a.masked <> hidden) INTO found_count, changed FROM care.appointment a
   WHERE a.citizen_id = citizen AND a.id = ANY (wanted);
  PERFORM FROM care.appointment a JOIN book.visit v ON v.citizen_id = citizen AND v.facility_code = a.facility_code
      AND starts_with(a.source_id, book.revisit_source(v.source_id) || ' ')
   WHERE NOT hidden AND a.citizen_id = citizen AND a.id = ANY (wanted) AND v.masked AND v.id <> ALL (wanted);
  IF FOUND THEN
    RAISE EXCEPTION 'its visit is hidden' USING ERRCODE = 'SK409';
  END IF;
  UPDATE care.appointment a SET masked = hidden WHERE a.citizen_id = citizen AND a.masked <> hidden AND (a.id = ANY (wanted)
     OR EXISTS (SELECT FROM book.visit v WHERE v.citizen_id = citizen AND v.id = ANY (wanted) AND v.facility_code = a.facility_code
       AND starts_with(a.source_id, book.revisit_source(v.source_id) || ' '))
     OR EXISTS (SELECT FROM book.document d JOIN book.visit v ON v.citizen_id = citizen AND v.id = d.visit_id WHERE d.citizen_id = citizen
       AND d.id = ANY (wanted) AND v.facility_code = a.facility_code AND a.source_id = book.revisit_source(v.source_id) || ' paper ' || d.source_id));
END $$;

-- Hides what facilities took back, or shows it again: what is named, and what was taken back of a named visit before it was sent
-- again. SK409: shown again alone, though that visit is hidden.
CREATE OR REPLACE FUNCTION book.mask_withdrawals(citizen uuid, wanted uuid[], hidden boolean, OUT found_count int, OUT changed int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE of_visits text[] := '{VISIT,PRESCRIPTION,TEST_REPORT,DOCUMENT}';
BEGIN
  SELECT count(*), count(*) FILTER (WHERE w.masked <> hidden) INTO found_count, changed FROM book.withdrawal w
   WHERE w.citizen_id = citizen AND w.id = ANY (wanted);
  PERFORM FROM book.withdrawal w JOIN book.visit v ON v.citizen_id = citizen AND (v.facility_code, v.source_id) = (w.facility_code, w.source_id)
   WHERE NOT hidden AND w.citizen_id = citizen AND w.id = ANY (wanted) AND w.kind = ANY (of_visits) AND v.masked AND v.id <> ALL (wanted);
  IF FOUND THEN
    RAISE EXCEPTION 'its visit is hidden' USING ERRCODE = 'SK409';
  END IF;
  UPDATE book.withdrawal w SET masked = hidden WHERE w.citizen_id = citizen AND w.masked <> hidden AND (w.id = ANY (wanted)
     OR w.kind = ANY (of_visits) AND (w.facility_code, w.source_id) IN (SELECT v.facility_code, v.source_id FROM book.visit v
       WHERE v.citizen_id = citizen AND v.id = ANY (wanted)));
END $$;
REVOKE ALL ON FUNCTION book.mask_appointments, book.mask_withdrawals FROM PUBLIC;
