-- owner: book_owner
-- What is written in each record of a visit, the visit itself first, with its codes.
CREATE OR REPLACE FUNCTION book.written(citizen uuid, visit uuid) RETURNS TABLE (name text, id uuid, line int, codes text[], words text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'visit', v.id, NULL::int, ARRAY(SELECT d.code FROM book.visit_diagnosis d WHERE d.citizen_id = citizen AND d.visit_id = visit),
         concat_ws(' ', v.reason, v.arrival_diagnosis, v.discharge_diagnosis, v.treatment, v.advice)
    FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit
  UNION ALL
  SELECT 'visit_service', s.visit_id, s.line, '{}', s.name FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = visit
  UNION ALL
  SELECT 'prescription', p.id, NULL, '{}', (SELECT string_agg(concat_ws(' ', i.drug_name, i.instruction), ' ') FROM book.prescription_item i
      WHERE i.citizen_id = citizen AND i.prescription_id = p.id)
    FROM book.prescription p WHERE p.citizen_id = citizen AND p.visit_id = visit
  UNION ALL
  SELECT 'test_report', r.id, NULL, '{}', concat_ws(' ', r.service_code, r.service_name, r.description, r.conclusion,
      (SELECT string_agg(concat_ws(' ', t.code, t.name, t.value_text), ' ') FROM book.test_result t WHERE t.citizen_id = citizen AND t.report_id = r.id))
    FROM book.test_report r WHERE r.citizen_id = citizen AND r.visit_id = visit
  UNION ALL
  SELECT 'document', d.id, NULL, ARRAY[d.main_code], concat_ws(' ', d.arrival_diagnosis, d.diagnosis, d.signs, d.course, d.findings, d.treatment,
      d.services_used, d.drugs_used, d.plan, d.note,
      (SELECT string_agg(concat_ws(' ', n.note, n.stage, n.consultation, n.procedure), ' ') FROM book.progress_note n
        WHERE n.citizen_id = citizen AND n.document_id = d.id))
    FROM book.document d WHERE d.citizen_id = citizen AND d.visit_id = visit
$$;

-- Which of them are of a class. All patterns at once find what is suspect, nearly always nothing: the rest is for those alone.
CREATE OR REPLACE FUNCTION book.suspects(citizen uuid, visit uuid) RETURNS TABLE (name text, id uuid, line int, classes int)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH every AS MATERIALIZED (SELECT string_agg(s.pattern, '|') FILTER (WHERE s.kind = 'CODE') AS code,
      string_agg(s.pattern, '|') FILTER (WHERE s.kind = 'WORD') AS word FROM code.sensitive s),
  suspect AS MATERIALIZED (SELECT w.* FROM book.written(citizen, visit) w, every e
     WHERE w.words ~* e.word OR EXISTS (SELECT FROM unnest(w.codes) c WHERE c ~ e.code))
  SELECT s.name, s.id, s.line, book.classes_of(s.codes, s.words) FROM suspect s
$$;
REVOKE ALL ON FUNCTION book.written, book.suspects FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.written, book.suspects TO worker;
