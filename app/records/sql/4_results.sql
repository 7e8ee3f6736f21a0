-- owner: book_owner
-- A result that was told alone and in a report stands once, in the report, as the newest of both told it
-- (infra/decisions/0039-a-result-stands-once.md). book.arrival_order holds `RESULT report code|name`: the rank of a line that is
-- newer than the report that it stands in.
CREATE OR REPLACE FUNCTION book.mark_of(report text, line jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat('RESULT ', report, ' ', line->>'code', '|', line->>'name')
$$;

-- `lines` with `newer` in the place of those of the same code and name, or after them.
CREATE OR REPLACE FUNCTION book.with_results(lines jsonb, newer jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH known AS (SELECT l.line, l.n, (SELECT w.line FROM jsonb_array_elements(newer) w (line) WHERE (w.line->>'name', coalesce(w.line->>'code', '')) = (l.line->>'name', coalesce(l.line->>'code', '')) LIMIT 1) AS other
                   FROM jsonb_array_elements(lines) WITH ORDINALITY l (line, n)),
  every AS (SELECT k.n, coalesce(k.other, k.line) AS line FROM known k
            UNION ALL
            SELECT 1000000 + w.n, w.line FROM jsonb_array_elements(newer) WITH ORDINALITY w (line, n)
             WHERE NOT EXISTS (SELECT FROM known k WHERE k.other IS NOT NULL AND (w.line->>'name', coalesce(w.line->>'code', '')) = (k.line->>'name', coalesce(k.line->>'code', ''))))
  SELECT coalesce(jsonb_agg(e.line || jsonb_build_object('line', e.number) ORDER BY e.number), '[]')
    FROM (SELECT e.line, row_number() OVER (ORDER BY e.n) AS number FROM every e) e
$$;

-- Tells a report without results: its only line is its own name (app/ingestion/fhir/results.py).
CREATE OR REPLACE FUNCTION book.is_described(report jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_array_length(report->'results') = 1 AND report->'results'->0->>'name' = left(coalesce(report->>'service_name', report->>'service_code', '-'), 1000)
     AND coalesce(report->'results'->0->>'code', report->'results'->0->>'value_text', report->'results'->0->>'unit', report->'results'->0->>'interpretation') IS NULL
$$;

-- Gives a report that rests other lines and another description, as a version of its own.
CREATE OR REPLACE FUNCTION book.put_results(rests book.test_report, lines jsonb, described text, provenance jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  content jsonb := (SELECT v.content FROM book.record_version v WHERE (v.citizen_id, v.record_id, v.version) = (rests.citizen_id, rests.id, rests.version))
                   || jsonb_build_object('results', lines, 'description', described);
BEGIN
  rests.version := rests.version + 1; rests.description := described;
  rests.digest := substr(rests.digest, 1, 32) || sha256(convert_to(lines::text, 'UTF8'));
  INSERT INTO book.record_version VALUES (rests.citizen_id, rests.id, rests.version, 'TEST_REPORT', 'REPLACED', provenance->>'facility_code',
    (provenance->>'message_id')::uuid, provenance->>'source_version', provenance->>'standard_version', now(), content);
  DELETE FROM book.test_report r WHERE r.citizen_id = rests.citizen_id AND r.id = rests.id;
  INSERT INTO book.test_report SELECT rests.*;
  INSERT INTO book.test_result (citizen_id, report_id, line, masked, code, name, value_text, value, unit, resulted_at, reference_range, interpretation)
  SELECT rests.citizen_id, rests.id, i.line, rests.masked, i.code, i.name, i.value_text, i.value, i.unit, rests.resulted_at, i.reference_range, i.interpretation
    FROM jsonb_populate_recordset(NULL::book.test_result, lines) i;
END $$;

REVOKE ALL ON FUNCTION book.mark_of, book.with_results, book.is_described, book.put_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.mark_of, book.with_results, book.is_described, book.put_results TO worker;
