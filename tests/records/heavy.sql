-- 200 citizens made of one who came through the door, each tenth heavy: 30 visits, 40 prescriptions of 3 drugs, 40
-- reports of 10 results. Rows are copied as they are but for what is named, so that a new column needs no line here.
SET session_replication_role = replica;  -- foreign keys hold by construction
CREATE TEMP TABLE person AS SELECT n, uuidv7() AS id, n % 10 = 1 AS heavy FROM generate_series(1, 200) n;
CREATE TEMP TABLE visit AS
  SELECT p.id AS citizen_id, p.n, g, uuidv7() AS id, p.heavy FROM person p, generate_series(1, CASE WHEN p.heavy THEN 30 ELSE 3 END) g;
CREATE TEMP TABLE prescription AS
  SELECT v.citizen_id, v.id AS visit_id, s.g, uuidv7() AS id
    FROM person p CROSS JOIN LATERAL generate_series(1, CASE WHEN p.heavy THEN 40 ELSE 3 END) AS s(g)
    JOIN visit v ON v.citizen_id = p.id AND v.g = 1 + s.g % 3;
CREATE TEMP TABLE report AS SELECT citizen_id, visit_id, g, uuidv7() AS id FROM prescription;
CREATE TEMP TABLE icd AS SELECT code, row_number() OVER (ORDER BY code) AS n FROM (SELECT DISTINCT code FROM code.entry WHERE system = 'icd10') known;

INSERT INTO auth.citizen SELECT (jsonb_populate_record(t, jsonb_build_object('id', p.id))).*
  FROM auth.citizen t, person p WHERE t.id = :'citizen';
INSERT INTO auth.book SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', p.id))).*
  FROM auth.book t, person p WHERE t.citizen_id = :'citizen';
INSERT INTO book.visit SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', v.citizen_id, 'id', v.id,
    'source_id', 'V' || v.g, 'started_at', t.started_at - v.g * interval '12 days'))).*
  FROM book.visit t, visit v WHERE t.citizen_id = :'citizen' ORDER BY v.g;
INSERT INTO book.visit_diagnosis SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', v.citizen_id,
    'visit_id', v.id, 'code', i.code, 'recorded_at', t.recorded_at - v.g * interval '12 days'))).*
  FROM book.visit_diagnosis t, visit v, icd i WHERE t.citizen_id = :'citizen' AND i.n = 1 + (v.n + v.g + t.line) % 40 ORDER BY v.g;
INSERT INTO book.visit_service SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', v.citizen_id, 'visit_id', v.id))).*
  FROM book.visit_service t, visit v WHERE t.citizen_id = :'citizen' ORDER BY v.g;
INSERT INTO book.prescription SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', p.citizen_id, 'id', p.id,
    'visit_id', p.visit_id, 'source_id', 'P' || p.g, 'ordered_at', t.ordered_at - p.g * interval '9 days'))).*
  FROM book.prescription t, prescription p WHERE t.citizen_id = :'citizen' ORDER BY p.g;
INSERT INTO book.prescription_item SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', p.citizen_id,
    'prescription_id', p.id, 'line', l))).*
  FROM book.prescription_item t, prescription p, generate_series(1, 3) l WHERE t.citizen_id = :'citizen' ORDER BY p.g;
INSERT INTO book.test_report SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', r.citizen_id, 'id', r.id,
    'visit_id', r.visit_id, 'source_id', 'R' || r.g, 'resulted_at', t.resulted_at - r.g * interval '9 days'))).*
  FROM book.test_report t, report r WHERE t.citizen_id = :'citizen' ORDER BY r.g;
INSERT INTO book.test_result SELECT (jsonb_populate_record(t, jsonb_build_object('citizen_id', r.citizen_id, 'report_id', r.id,
    'line', l, 'resulted_at', t.resulted_at - r.g * interval '9 days'))).*
  FROM book.test_result t, report r, generate_series(1, 10) l WHERE t.citizen_id = :'citizen' ORDER BY r.g;
SELECT id FROM person WHERE heavy ORDER BY n OFFSET 7 LIMIT 1;
