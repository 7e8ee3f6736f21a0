-- owner: book_owner
-- Results may come in a message without XML3, which tells kind and name of their service: those of the services that rest hold
-- then, whichever came first. A later line of a paraclinical group stands before the others, as in app/ingestion/qd4750/performed.py.
-- A report that another message named has a new version, which keeps what its own said as `told`. Returns `records` with it.
DROP FUNCTION IF EXISTS book.name_reports(uuid, uuid);
CREATE OR REPLACE FUNCTION book.name_reports(citizen uuid, visit uuid, records jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  WITH told AS (
    SELECT o.id, v.content || jsonb_build_object('told', own.told) AS content, coalesce(s.category, own.told->>'category') AS category, s.name,
           NOT records @? format('$[*] ? (@.kind == "TEST_REPORT" && @.key == %s && (@.change == "ADDED" || @.change == "REPLACED"))', to_jsonb(o.source_id))::jsonpath AS by_another
      FROM book.test_report o
      JOIN book.record_version v ON (v.citizen_id, v.record_id, v.version) = (o.citizen_id, o.id, o.version)
     CROSS JOIN LATERAL (SELECT coalesce(v.content->'told', jsonb_build_object('category', v.content->'category', 'service_name', v.content->'service_name')) AS told) own
      LEFT JOIN LATERAL (
        SELECT p.name, coalesce(k.category, 'OTHER') AS category
          FROM book.visit_service p LEFT JOIN (VALUES ('1', 'LABORATORY'), ('2', 'IMAGING'), ('3', 'FUNCTIONAL')) k (code, category)
            ON k.code = ltrim(p.group_code, '0')
         WHERE p.citizen_id = o.citizen_id AND p.visit_id = o.visit_id AND p.code = o.service_code
         ORDER BY k.code IS NULL, CASE WHEN k.code IS NULL THEN -p.line ELSE p.line END LIMIT 1) s ON true
     WHERE o.citizen_id = citizen AND o.visit_id = visit AND o.service_code IS NOT NULL AND o.standard_version = '4750/QD-BYT' AND own.told->>'service_name' IS NULL),
  named AS (
    UPDATE book.test_report r SET (category, service_name, version) = (t.category, t.name, r.version + t.by_another::int)
      FROM told t WHERE r.citizen_id = citizen AND r.id = t.id AND (r.category, r.service_name) IS DISTINCT FROM (t.category, t.name)
    RETURNING r.id, r.version, r.source_id, t.by_another, t.content || jsonb_build_object('category', r.category, 'service_name', r.service_name) AS content),
  noted AS (
    INSERT INTO book.record_version
    SELECT citizen, n.id, n.version, 'TEST_REPORT', 'REPLACED', provenance->>'facility_code', (provenance->>'message_id')::uuid,
           provenance->>'source_version', provenance->>'standard_version', now(), n.content FROM named n WHERE n.by_another)
  SELECT coalesce((SELECT jsonb_agg(e) FROM jsonb_array_elements(records) e WHERE NOT EXISTS (SELECT FROM named n
           WHERE n.by_another AND e->>'kind' = 'TEST_REPORT' AND e->>'key' = n.source_id)), '[]')
      || coalesce((SELECT jsonb_agg(jsonb_build_object('kind', 'TEST_REPORT', 'key', n.source_id, 'change', 'REPLACED')) FROM named n WHERE n.by_another), '[]')
$$;
REVOKE ALL ON FUNCTION book.name_reports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.name_reports TO worker;
