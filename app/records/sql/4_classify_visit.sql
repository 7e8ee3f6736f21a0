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

-- Which of them are of a class. All of it is looked through at once, and each record for what was found alone: nearly always nothing.
CREATE OR REPLACE FUNCTION book.suspects(citizen uuid, visit uuid) RETURNS TABLE (name text, id uuid, line int, classes int)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH said AS MATERIALIZED (SELECT * FROM book.written(citizen, visit)),
  everything AS MATERIALIZED (
    SELECT (SELECT string_agg(w.words, E'\n') FROM said w) AS words, ARRAY(SELECT DISTINCT c FROM said w, unnest(w.codes) c) AS codes),
  found AS MATERIALIZED (SELECT s.class, s.kind, s.pattern FROM code.sensitive s, everything e
     WHERE CASE s.kind WHEN 'CODE' THEN EXISTS (SELECT FROM unnest(e.codes) c WHERE c ~ s.pattern) ELSE e.words ~* s.pattern END)
  SELECT w.name, w.id, w.line, bit_or(f.class) FROM found f, said w
   WHERE CASE f.kind WHEN 'CODE' THEN EXISTS (SELECT FROM unnest(w.codes) c WHERE c ~ f.pattern) ELSE w.words ~* f.pattern END
   GROUP BY w.name, w.id, w.line
$$;
REVOKE ALL ON FUNCTION book.written, book.suspects FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.written, book.suspects TO worker;
