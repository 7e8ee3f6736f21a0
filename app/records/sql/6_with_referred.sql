-- owner: book_owner
-- Reports that arrive with the results that they only refer to, which rest in records of the same visit or in the report itself.
-- `referred` holds by a report's key [{key, after, lines}]: where a result rests, which of the report's own lines stand before it,
-- and its places there, from 0 (app/ingestion/referring.py). Notes come with a record that is taken in whole.
CREATE OR REPLACE FUNCTION book.with_referred(citizen uuid, visit uuid, reports jsonb, referred jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH asked AS (
    SELECT r.key AS report, s.slot, s.place FROM jsonb_each(referred) r, jsonb_array_elements(r.value) WITH ORDINALITY s (slot, place)),
  rests AS (
    SELECT t.source_id AS key, t.digest, v.content FROM book.test_report t
      JOIN book.record_version v ON (v.citizen_id, v.record_id, v.version) = (t.citizen_id, t.id, t.version)
     WHERE t.citizen_id = citizen AND t.visit_id = visit AND (referred ? t.source_id OR t.source_id IN (SELECT a.slot->>'key' FROM asked a))),
  lines AS (
    SELECT a.report, (a.slot->>'after')::bigint AS after, a.place, n.place AS n, k.content->'results'->(n.at::int) AS line
      FROM asked a JOIN rests k ON k.key = a.slot->>'key', jsonb_array_elements_text(a.slot->'lines') WITH ORDINALITY n (at, place)
    UNION ALL
    SELECT e->>'source_id', o.n, 0, 0, o.line FROM jsonb_array_elements(reports) e, jsonb_array_elements(e->'results') WITH ORDINALITY o (line, n)
     WHERE NOT book.is_described(e)),
  whole AS (
    SELECT o.report, jsonb_agg(o.line || jsonb_build_object('line', o.number) ORDER BY o.number) AS lines
      FROM (SELECT l.report, l.line, row_number() OVER (PARTITION BY l.report ORDER BY l.after, l.place, l.n) AS number FROM lines l) o GROUP BY o.report),
  noted AS (
    SELECT a.report, max(k.content->>'description') FILTER (WHERE k.key = a.report) AS its,
           string_agg(DISTINCT CASE WHEN jsonb_array_length(k.content->'results') = 1 THEN concat(k.content->'results'->0->>'name', ': ') ELSE '' END
                      || (k.content->>'description'), E'\n') FILTER (WHERE k.key <> a.report) AS others
      FROM asked a JOIN rests k ON k.key = a.slot->>'key'
     WHERE k.key = a.report OR (SELECT sum(jsonb_array_length(o.slot->'lines')) FROM asked o WHERE o.report = a.report AND o.slot->>'key' = k.key)
                               = jsonb_array_length(k.content->'results') GROUP BY a.report),
  composed AS (
    SELECT e.place, e.report->>'source_id' AS key, e.report || jsonb_build_object('results', w.lines,
             'description', nullif(concat_ws(E'\n', CASE WHEN position(e.report->>'description' IN n.its) > 0 OR e.report->>'description' IS NULL THEN n.its
                                                     ELSE e.report->>'description' END, n.others), ''),
             'digest', (e.report->>'digest') || encode(sha256(convert_to(w.lines::text, 'UTF8')), 'hex')) AS report
      FROM jsonb_array_elements(reports) WITH ORDINALITY e (report, place) JOIN whole w ON w.report = e.report->>'source_id'
      LEFT JOIN noted n ON n.report = e.report->>'source_id' WHERE referred ? (e.report->>'source_id'))
  SELECT coalesce(jsonb_agg(CASE WHEN c.report IS NULL THEN e.report WHEN c.report - '{id,digest}'::text[] = k.content
                                 THEN c.report || jsonb_build_object('digest', k.digest) ELSE c.report END ORDER BY e.place), '[]')
    FROM jsonb_array_elements(reports) WITH ORDINALITY e (report, place)
    LEFT JOIN composed c ON c.place = e.place LEFT JOIN rests k ON k.key = c.key
$$;
REVOKE ALL ON FUNCTION book.with_referred FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.with_referred TO worker;
