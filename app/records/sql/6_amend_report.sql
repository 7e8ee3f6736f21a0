-- owner: book_owner
-- Puts results that were told alone into the report that they stand in, each where it is newer than what stands there; what the
-- report only refers to (`awaited`) may be older than the report.
CREATE OR REPLACE FUNCTION book.amend_report(citizen uuid, visit uuid, report text, told jsonb, rank text, provenance jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE rests book.test_report; known record; lines jsonb; newer jsonb; described text;
BEGIN
  SELECT r.* INTO rests FROM book.test_report r WHERE r.citizen_id = citizen AND r.visit_id = visit AND r.source_id = report FOR UPDATE;
  SELECT o.facility_code, o.source_id, o.ranks INTO known FROM book.visit v
    JOIN book.arrival_order o USING (citizen_id, facility_code, source_id) WHERE v.citizen_id = citizen AND v.id = visit;
  newer := (SELECT jsonb_agg(l) FROM jsonb_array_elements(told->'results') l
             WHERE coalesce(known.ranks->>book.mark_of(report, l), CASE WHEN told->'awaited' @> jsonb_build_array(jsonb_build_array(l->'code', l->'name'))
                      THEN '' ELSE known.ranks->>('TEST_REPORT ' || report) END, '') <= rank);
  IF newer IS NULL THEN
    PERFORM book.keep_aside(citizen, rests.id, 'TEST_REPORT', provenance, told - '{id,digest,awaited}'::text[]);
    RETURN 'OUTDATED';
  END IF;
  UPDATE book.arrival_order o SET ranks = o.ranks || (SELECT jsonb_object_agg(book.mark_of(report, l), rank) FROM jsonb_array_elements(newer) l)
   WHERE o.citizen_id = citizen AND o.facility_code = known.facility_code AND o.source_id = known.source_id;
  lines := (SELECT CASE WHEN book.is_described(v.content) THEN '[]' ELSE v.content->'results' END FROM book.record_version v
             WHERE (v.citizen_id, v.record_id, v.version) = (citizen, rests.id, rests.version));
  described := CASE WHEN position(told->>'description' IN rests.description) > 0 THEN rests.description
                    ELSE nullif(concat_ws(E'\n', rests.description, told->>'description'), '') END;
  newer := book.with_results(lines, newer);
  IF (newer, described) IS NOT DISTINCT FROM (lines, rests.description) THEN
    RETURN 'UNCHANGED';
  END IF;
  PERFORM book.put_results(rests, newer, described, provenance);
  RETURN 'REPLACED';
END $$;

-- Reports that arrive with the lines that rest in them and were told alone since.
CREATE OR REPLACE FUNCTION book.with_newer_results(citizen uuid, visit uuid, reports jsonb, ranks jsonb, rank text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(jsonb_agg(CASE WHEN n.lines IS NULL THEN e.report ELSE e.report || jsonb_build_object('results', book.with_results(e.report->'results', n.lines),
           'digest', left(e.report->>'digest', 66) || encode(sha256(convert_to(book.with_results(e.report->'results', n.lines)::text, 'UTF8')), 'hex')) END ORDER BY e.place), '[]')
    FROM jsonb_array_elements(reports) WITH ORDINALITY e (report, place)
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(l) AS lines FROM book.test_report r
        JOIN book.record_version v ON (v.citizen_id, v.record_id, v.version) = (r.citizen_id, r.id, r.version), jsonb_array_elements(v.content->'results') l
       WHERE r.citizen_id = citizen AND r.visit_id = visit AND r.source_id = e.report->>'source_id' AND ranks->>book.mark_of(r.source_id, l) > rank) n ON true
$$;

-- Those of some reports of a visit that rest: by key, code and name of each line.
DROP FUNCTION IF EXISTS book.resting_reports(uuid, text, text, text[]);
CREATE OR REPLACE FUNCTION book.resting_reports(citizen uuid, facility text, visit text, keys text[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(jsonb_object_agg(r.source_id, (SELECT coalesce(jsonb_agg(jsonb_build_array(l.line->'code', l.line->'name') ORDER BY l.n), '[]')
           FROM jsonb_array_elements(c.content->'results') WITH ORDINALITY l (line, n))), '{}')
    FROM book.visit v JOIN book.test_report r ON r.citizen_id = v.citizen_id AND r.visit_id = v.id
    JOIN book.record_version c ON (c.citizen_id, c.record_id, c.version) = (r.citizen_id, r.id, r.version)
   WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = resting_reports.visit AND r.source_id = ANY (keys)
$$;
REVOKE ALL ON FUNCTION book.amend_report, book.with_newer_results, book.resting_reports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.amend_report, book.with_newer_results, book.resting_reports TO worker;
