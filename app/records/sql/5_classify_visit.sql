-- owner: book_owner
-- Writes down of which classes a visit and its records are. What belongs to a visit of a class is of that class too. Only rows
-- that are of other classes than before are touched: a row that was filed in this transaction costs its checks again.
-- `suspected` is what book.suspects found in what rests, or in what a visit that is new was filed from: that is of no class before.
DROP FUNCTION IF EXISTS book.classify(uuid, uuid, jsonb);
CREATE OR REPLACE FUNCTION book.classify(citizen uuid, visit uuid, suspected jsonb, is_new boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known int := 0;
  of_visit int := coalesce((SELECT (f->>'classes')::int FROM jsonb_array_elements(suspected) f WHERE f->>'name' = 'visit'), 0);
  one record; t record;
BEGIN
  IF NOT is_new THEN
    known := (SELECT v.sensitive FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit);
  END IF;
  IF known | of_visit <> 0 THEN
    PERFORM book.classify_with_visit(citizen, visit, of_visit);
  END IF;  -- else a record of no class has none already: those that are filed again begin without
  FOR one IN SELECT s.name, s.id, s.line, s.classes FROM jsonb_to_recordset(suspected) AS s(name text, id uuid, line int, classes int)
              WHERE s.name <> 'visit' AND s.classes | of_visit <> of_visit LOOP
    IF one.name = 'visit_service' THEN
      UPDATE book.visit_service s SET sensitive = of_visit | one.classes
       WHERE s.citizen_id = classify.citizen AND s.visit_id = one.id AND s.line = one.line AND s.sensitive <> of_visit | one.classes;
      CONTINUE;
    END IF;
    EXECUTE format('UPDATE book.%I SET sensitive = $3 WHERE citizen_id = $1 AND id = $2 AND sensitive <> $3', one.name)
      USING citizen, one.id, of_visit | one.classes;
    FOR t IN SELECT g.name, g.key FROM book.guarded() g WHERE g.holder = one.name LOOP
      EXECUTE format('UPDATE book.%I SET sensitive = $3 WHERE citizen_id = $1 AND %I = $2 AND sensitive <> $3', t.name, t.key)
        USING citizen, one.id, of_visit | one.classes;
    END LOOP;
  END LOOP;
END $$;

-- Gives all that belongs to a visit the visit's classes, those of its records beside them not looked at.
CREATE OR REPLACE FUNCTION book.classify_with_visit(citizen uuid, visit uuid, of_visit int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE t record;
BEGIN
  FOR t IN SELECT g.name, coalesce(g.key, 'id') AS key FROM book.guarded() g WHERE g.key = 'visit_id' OR g.name = 'visit' LOOP
    EXECUTE format('UPDATE book.%I SET sensitive = $3 WHERE citizen_id = $1 AND %I = $2 AND sensitive <> $3', t.name, t.key) USING citizen, visit, of_visit;
  END LOOP;
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.holder IN ('prescription', 'test_report', 'document') LOOP
    EXECUTE format('UPDATE book.%I l SET sensitive = $3 FROM book.%I r WHERE r.citizen_id = $1 AND r.visit_id = $2
      AND l.citizen_id = $1 AND l.%I = r.id AND l.sensitive <> $3', t.name, t.holder, t.key) USING citizen, visit, of_visit;
  END LOOP;
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.may_be_masked AND g.key IS NULL AND g.name <> 'visit' LOOP
    EXECUTE format('SELECT count(book.classify_clinical(r.citizen_id, %1$L, r.id)) FROM book.%1$I r JOIN book.visit v ON v.citizen_id = $1 AND v.id = $2
      WHERE r.citizen_id = $1 AND r.facility_code = v.facility_code AND r.visit_source_id = v.source_id', t.name) USING citizen, visit;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.classify, book.classify_with_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.classify, book.classify_with_visit TO worker;
