-- owner: book_owner
-- What rests of a visit that classes are judged by, in the form in which visits arrive (app/records/filing.py).
DROP FUNCTION IF EXISTS book.suspects(uuid, uuid), book.written(uuid, uuid);
CREATE OR REPLACE FUNCTION book.resting(citizen uuid, visit uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'visit', (SELECT to_jsonb(v) || jsonb_build_object(
        'diagnoses', (SELECT coalesce(jsonb_agg(to_jsonb(d)), '[]') FROM book.visit_diagnosis d WHERE d.citizen_id = citizen AND d.visit_id = visit),
        'services', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = visit))
      FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit),
    'prescriptions', (SELECT coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object('items', (SELECT coalesce(jsonb_agg(to_jsonb(i)), '[]')
        FROM book.prescription_item i WHERE i.citizen_id = citizen AND i.prescription_id = p.id))), '[]')
      FROM book.prescription p WHERE p.citizen_id = citizen AND p.visit_id = visit),
    'reports', (SELECT coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('results', (SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')
        FROM book.test_result t WHERE t.citizen_id = citizen AND t.report_id = r.id))), '[]')
      FROM book.test_report r WHERE r.citizen_id = citizen AND r.visit_id = visit),
    'documents', (SELECT coalesce(jsonb_agg(to_jsonb(d) || jsonb_build_object('notes', (SELECT coalesce(jsonb_agg(to_jsonb(n)), '[]')
        FROM book.progress_note n WHERE n.citizen_id = citizen AND n.document_id = d.id))), '[]')
      FROM book.document d WHERE d.citizen_id = citizen AND d.visit_id = visit))
$$;

-- Which records of a visit, the visit itself among them with its codes, are of a class by what is written in them. All of it is
-- looked through at once, and each record for what was found alone: nearly always nothing. Returns [{name, id, line, classes}], or NULL.
CREATE OR REPLACE FUNCTION book.suspects(told jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    WITH said (name, id, line, codes, words) AS MATERIALIZED (
      SELECT 'visit', v->>'id', NULL, (SELECT string_agg(d->>'code', E'\n') FROM jsonb_array_elements(v->'diagnoses') d),
             concat_ws(' ', v->>'reason', v->>'arrival_diagnosis', v->>'discharge_diagnosis', v->>'treatment', v->>'advice') FROM (SELECT told->'visit') x (v)
      UNION ALL
      SELECT 'visit_service', told->'visit'->>'id', s->>'line', NULL, s->>'name' FROM jsonb_array_elements(coalesce(told->'visit'->'services', told->'services')) s
      UNION ALL
      SELECT 'prescription', p->>'id', NULL, NULL, (SELECT string_agg(concat_ws(' ', i->>'drug_name', i->>'instruction'), ' ') FROM jsonb_array_elements(p->'items') i)
        FROM jsonb_array_elements(told->'prescriptions') p
      UNION ALL
      SELECT 'test_report', r->>'id', NULL, NULL, concat_ws(' ', r->>'service_code', r->>'service_name', r->>'description', r->>'conclusion',
          (SELECT string_agg(concat_ws(' ', t->>'code', t->>'name', t->>'value_text'), ' ') FROM jsonb_array_elements(r->'results') t))
        FROM jsonb_array_elements(told->'reports') r
      UNION ALL
      SELECT 'document', d->>'id', NULL, d->>'main_code', concat_ws(' ', d->>'arrival_diagnosis', d->>'diagnosis', d->>'signs', d->>'course',
          d->>'findings', d->>'treatment', d->>'services_used', d->>'drugs_used', d->>'plan', d->>'note', (SELECT string_agg(
          concat_ws(' ', n->>'note', n->>'stage', n->>'consultation', n->>'procedure'), ' ') FROM jsonb_array_elements(d->'notes') n))
        FROM jsonb_array_elements(told->'documents') d),
    everything AS MATERIALIZED (SELECT string_agg(w.words, E'\n') AS words, string_agg(w.codes, E'\n') AS codes FROM said w),
    found AS MATERIALIZED (SELECT s.class, s.kind, s.pattern FROM code.sensitive s, everything e
       WHERE CASE s.kind WHEN 'CODE' THEN e.codes ~ ('(?w)' || s.pattern) ELSE e.words ~* s.pattern END),
    -- To begin a pattern costs more than to look for what it found: it is begun again only where that stands.
    hit AS MATERIALIZED (
      SELECT f.class, f.pattern, h.word FROM found f, everything e, LATERAL (
        SELECT DISTINCT m[1] AS word FROM regexp_matches(e.words, '(' || f.pattern || ')', 'gi') m) h WHERE f.kind = 'WORD')
    SELECT jsonb_agg(jsonb_build_object('name', s.name, 'id', s.id, 'line', s.line, 'classes', s.classes)) FROM (
      SELECT o.name, o.id, o.line, bit_or(o.class) AS classes FROM (
        SELECT w.name, w.id, w.line, f.class FROM found f, said w WHERE f.kind = 'CODE' AND w.codes ~ ('(?w)' || f.pattern)
        UNION ALL
        SELECT w.name, w.id, w.line, h.class FROM hit h, said w WHERE strpos(w.words, h.word) > 0 AND w.words ~* h.pattern) o
       GROUP BY o.name, o.id, o.line) s);
END $$;
REVOKE ALL ON FUNCTION book.resting, book.suspects FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.resting, book.suspects TO worker;
