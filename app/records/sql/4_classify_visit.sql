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

-- Writes down of which classes a visit and its records are. What belongs to a visit of a class is of that class too.
CREATE OR REPLACE FUNCTION book.classify(citizen uuid, visit uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE of_visit int; one record; t record;
BEGIN
  IF (SELECT book.classes_of(array_agg(c), string_agg(DISTINCT w.words, ' ')) FROM book.written(citizen, visit) w LEFT JOIN unnest(w.codes) c ON true) = 0
    AND NOT EXISTS (SELECT FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit AND v.sensitive <> 0) THEN
    RETURN;  -- nearly always; records that are filed again begin without a class
  END IF;
  of_visit := (SELECT book.classes_of(w.codes, w.words) FROM book.written(citizen, visit) w WHERE w.name = 'visit');
  FOR t IN SELECT g.* FROM book.guarded() g WHERE 'visit_id' IN (g.key) OR g.name = 'visit' LOOP
    EXECUTE format('UPDATE book.%I SET sensitive = $3 WHERE citizen_id = $1 AND %I = $2', t.name, coalesce(t.key, 'id')) USING citizen, visit, of_visit;
  END LOOP;
  FOR one IN SELECT w.name, w.id, w.line, book.classes_of(w.codes, w.words) AS own FROM book.written(citizen, visit) w WHERE w.name <> 'visit' LOOP
    EXECUTE format('UPDATE book.%I SET sensitive = $3 WHERE citizen_id = $1 AND %s', one.name,
      CASE WHEN one.line IS NULL THEN 'id = $2' ELSE 'visit_id = $2 AND line = $4' END) USING citizen, one.id, of_visit | one.own, one.line;
  END LOOP;
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.holder IN ('prescription', 'test_report', 'document') LOOP
    EXECUTE format('UPDATE book.%1$I l SET sensitive = r.sensitive FROM book.%2$I r WHERE r.citizen_id = $1 AND r.visit_id = $2
      AND l.citizen_id = $1 AND l.%3$I = r.id AND l.sensitive <> r.sensitive',
      t.name, t.holder, t.key) USING citizen, visit;
  END LOOP;
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.may_be_masked AND g.key IS NULL AND g.name <> 'visit' LOOP
    EXECUTE format('SELECT count(book.classify_clinical(r.citizen_id, %1$L, r.id)) FROM book.%1$I r JOIN book.visit v ON v.citizen_id = $1 AND v.id = $2
      WHERE r.citizen_id = $1 AND r.facility_code = v.facility_code AND r.visit_source_id = v.source_id', t.name) USING citizen, visit;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.written, book.classify FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.written, book.classify TO worker;
