-- Citizens :first to :last with their books, set by set, in the order in which hospitals would have sent them.
-- Every tenth is heavy: 30 visits, 40 prescriptions x 3 drugs, 40 laboratory reports x 10 results, 50 functional tests.
SET session_replication_role = replica;  -- foreign keys hold by construction; checking each row would take minutes
SET synchronous_commit = off;
SET TIME ZONE 'UTC';
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.person (number int PRIMARY KEY, id uuid NOT NULL, heavy boolean NOT NULL, token text NOT NULL);

CREATE OR REPLACE FUNCTION bench.pick(words text[], seed bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN words[1 + abs(hashint8(seed)) % cardinality(words)];

INSERT INTO directory.facility (code, name, level, registered_at)
SELECT lpad((1000 + n)::text, 5, '0'), bench.pick(ARRAY['Bệnh viện Đa khoa', 'Bệnh viện Phụ sản', 'Trung tâm Y tế', 'Trạm Y tế'], n)
       || ' số ' || n, bench.pick(ARRAY['CENTRAL', 'PROVINCIAL', 'PRIMARY'], n), timestamptz '2026-01-01'
  FROM generate_series(1, 1200) n ON CONFLICT DO NOTHING;
CREATE TEMP TABLE icd AS SELECT row_number() OVER (ORDER BY code, valid_from) - 1 AS n, code FROM code.entry WHERE system = 'icd10';
CREATE INDEX ON icd (n);
CREATE TEMP TABLE made AS SELECT n AS number, uuidv7() AS id, n % 10 = 1 AS heavy FROM generate_series(:first, :last) n;

INSERT INTO bench.person SELECT number, id, heavy, 'bench-token-' || lpad(number::text, 8, '0') FROM made;
INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at)
SELECT id, bench.pick(ARRAY['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng', 'Đặng'], number) || ' '
       || bench.pick(ARRAY['Thị', 'Văn', 'Minh', 'Ngọc'], number * 3) || ' ' || bench.pick(ARRAY['Ánh', 'Bình', 'Dũng', 'Hạnh', 'Khôi', 'Yến'], number * 7),
       'KHONG DAU', date '1950-01-01' + (number * 7 % 25000)::int, 'DAY', 'FEMALE', timestamptz '2026-01-01' FROM made;
INSERT INTO auth.book (citizen_id, version, changed_at) SELECT id, 1 + number % 300, now() FROM made;
INSERT INTO auth.session (id, token_hash, citizen_id, level, created_at, expires_at)
SELECT uuidv7(), sha256(convert_to(p.token, 'UTF8')), p.id, 2, now(), now() + interval '1 day'
  FROM bench.person p WHERE p.number BETWEEN :first AND :last;

CREATE TEMP TABLE made_visit AS
SELECT m.id AS citizen_id, m.number, m.heavy, v, uuidv7() AS id, lpad((1001 + (m.number * 7 + v) % 1200)::text, 5, '0') AS facility,
       timestamptz '2026-11-20 08:00+00' - make_interval(days => v * 12 + m.number % 11, mins => m.number * 17 % 600) AS at
  FROM made m CROSS JOIN LATERAL generate_series(1, CASE WHEN m.heavy THEN 30 ELSE 3 END) v;
CREATE INDEX ON made_visit (citizen_id, v);

INSERT INTO book.visit (citizen_id, id, facility_code, source_id, digest, version, message_id, source_version, standard_version, filed_at,
  kind_code, started_at, ended_at, reason, discharge_diagnosis, department_codes, cost_total, cost_drugs, cost_supplies,
  cost_within_insurance, cost_paid_by_fund, cost_copayment, cost_self_paid, cost_paid_by_others)
SELECT citizen_id, id, facility, 'LK' || lpad(v::text, 8, '0'), sha256(uuid_send(id)), 1, uuidv7(), '2026-11-20', '4750/QD-BYT', at + interval '1 hour',
       '01', at, at + interval '45 minutes', bench.pick(ARRAY['Đau đầu, chóng mặt', 'Ho, sốt nhẹ 2 ngày', 'Tái khám theo hẹn', 'Đau "thượng vị" sau ăn'], number + v),
       bench.pick(ARRAY['Tăng huyết áp vô căn (nguyên phát)', 'Đái tháo đường týp 2, chưa có biến chứng', 'Viêm họng cấp', 'Trào ngược dạ dày - thực quản'], number * 3 + v),
       ARRAY['K01'], 450000, 250000, 30000, 450000, 360000, 90000, 0, 0
  FROM made_visit ORDER BY at;
INSERT INTO book.visit_diagnosis (citizen_id, visit_id, line, role, code, recorded_at)
SELECT v.citizen_id, v.id, l, CASE l WHEN 1 THEN 'MAIN' ELSE 'ACCOMPANYING' END, i.code, v.at
  FROM made_visit v CROSS JOIN LATERAL generate_series(1, CASE WHEN v.v % 3 = 0 THEN 2 ELSE 1 END) l
  JOIN icd i ON i.n = (v.number * 31 + v.v * 7 + l) % (SELECT count(*) FROM icd) ORDER BY v.at, v.id, l;

CREATE TEMP TABLE made_prescription AS
SELECT v.citizen_id, v.id AS visit_id, v.facility, v.number, p, uuidv7() AS id, v.at + make_interval(mins => 30 + p) AS at
  FROM made m CROSS JOIN LATERAL generate_series(1, CASE WHEN m.heavy THEN 40 ELSE 3 END) p
  JOIN made_visit v ON v.citizen_id = m.id AND v.v = 1 + (p - 1) % CASE WHEN m.heavy THEN 30 ELSE 3 END;
INSERT INTO book.prescription (citizen_id, id, facility_code, source_id, digest, version, message_id, source_version, standard_version, filed_at,
  visit_id, ordered_at, prescriber_certificate)
SELECT citizen_id, id, facility, 'DT' || p, sha256(uuid_send(id)), 1, uuidv7(), '2026-11-20', '4750/QD-BYT', at, visit_id, at, '000123/HNO-CCHN'
  FROM made_prescription ORDER BY at;
INSERT INTO book.prescription_item (citizen_id, prescription_id, line, drug_code, drug_name, strength, form, route_code, quantity, unit, dose, instruction, amount)
SELECT citizen_id, id, l, '40.' || l, bench.pick(ARRAY['Amlodipin', 'Metformin hydroclorid', 'Paracetamol', 'Omeprazol', 'Losartan kali'], number + p * 3 + l),
       bench.pick(ARRAY['5 mg', '500 mg', '20 mg'], p + l), 'Viên nén', '1.01', 14 + l * 7, 'Viên', l || ' viên x 2 lần/ngày',
       'Uống sau ăn sáng và tối, ngày ' || l || ' viên', 45000
  FROM made_prescription CROSS JOIN generate_series(1, 3) l ORDER BY at, id, l;

CREATE TEMP TABLE made_report AS
SELECT v.citizen_id, v.id AS visit_id, v.facility, v.number, r, uuidv7() AS id, r <= 40 AS laboratory,
       v.at + make_interval(mins => 5 + r) - CASE WHEN r > 40 THEN interval '400 days' ELSE interval '0' END AS at
  FROM made m CROSS JOIN LATERAL generate_series(1, CASE WHEN m.heavy THEN 90 ELSE 3 END) r
  JOIN made_visit v ON v.citizen_id = m.id AND v.v = 1 + (r - 1) % CASE WHEN m.heavy THEN 30 ELSE 3 END;
INSERT INTO book.test_report (citizen_id, id, facility_code, source_id, digest, version, message_id, source_version, standard_version, filed_at,
  visit_id, category, service_code, service_name, resulted_at, conclusion)
SELECT citizen_id, id, facility, 'XN' || r, sha256(uuid_send(id)), 1, uuidv7(), '2026-11-20', '4750/QD-BYT', at, visit_id,
       CASE WHEN laboratory THEN 'LABORATORY' ELSE 'FUNCTIONAL' END, '22.0121', CASE WHEN laboratory THEN 'Tổng phân tích máu và sinh hóa' ELSE 'Đo nhịp tim' END,
       at, 'Theo dõi thêm'
  FROM made_report ORDER BY at;
INSERT INTO book.test_result (citizen_id, report_id, line, code, name, value_text, value, unit, resulted_at)
SELECT r.citizen_id, r.id, l, CASE WHEN r.laboratory THEN 'BC' || l ELSE 'NT1' END,
       CASE WHEN r.laboratory THEN (ARRAY['Bạch cầu', 'Hồng cầu', 'Huyết sắc tố', 'Hematocrit', 'Tiểu cầu', 'Glucose', 'Creatinin', 'AST', 'ALT', 'Ure'])[l] ELSE 'Nhịp tim' END,
       replace(x.value::text, '.', ','), x.value, CASE WHEN r.laboratory THEN (ARRAY['G/L', 'T/L', 'g/L', '%', 'G/L', 'mmol/L', 'µmol/L', 'U/L', 'U/L', 'mmol/L'])[l] ELSE 'lần/phút' END, r.at
  FROM made_report r CROSS JOIN LATERAL generate_series(1, CASE WHEN r.laboratory THEN 10 ELSE 1 END) l
  CROSS JOIN LATERAL (SELECT round((40 + abs(hashint8(r.number * 100 + r.r * 10 + l)) % 900 / 10.0)::numeric, 1) AS value) x ORDER BY r.at, r.id, l;
DROP TABLE icd, made, made_visit, made_prescription, made_report;
