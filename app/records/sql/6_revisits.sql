-- owner: book_owner
-- By which name a visit's appointments rest: that of the visit at its facility, so that one that is withdrawn and sent again
-- tells of the same ones.
CREATE OR REPLACE FUNCTION book.revisit_source(source_id text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'visit ' || encode(sha256(convert_to(source_id, 'UTF8')), 'hex')
$$;

-- The appointments that a visit tells: its re-examination papers, and the days of its own record that have no paper. `papers` are
-- rows of book.document, or documents as they arrive.
DROP FUNCTION IF EXISTS book.revisits(uuid, uuid);
CREATE OR REPLACE FUNCTION book.revisits(seen book.visit, papers jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH paper AS (
    SELECT p->>'source_id' AS source_id, (p->>'appointment_at')::timestamptz AS appointment_at, p->>'masked' AS masked, p->>'sensitive' AS sensitive
      FROM jsonb_array_elements(papers) p WHERE p->>'kind' = 'REEXAMINATION' AND p->>'appointment_at' IS NOT NULL),
  told AS (
    SELECT 'paper ' || p.source_id AS key, p.appointment_at AS starts_at, false AS is_whole_day, coalesce(p.masked::boolean, false) AS masked,
           coalesce(p.sensitive::int, 0) AS sensitive FROM paper p
    UNION ALL
    SELECT 'day ' || day, day::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh', true, seen.masked, seen.sensitive FROM unnest(seen.revisit_on) AS day
     WHERE NOT EXISTS (SELECT FROM paper p WHERE (p.appointment_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = day))
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', uuidv7(), 'source_id', book.revisit_source(seen.source_id) || ' ' || t.key, 'starts_at', t.starts_at,
    'is_whole_day', t.is_whole_day, 'masked', t.masked, 'sensitive', t.sensitive,
    'department_code', seen.department_codes[array_upper(seen.department_codes, 1)])), '[]') FROM told t
$$;

-- Makes, moves and cancels the appointments of a visit as it now tells them, in the transaction that files it.
DROP FUNCTION IF EXISTS book.follow_revisits(uuid, text, uuid);
CREATE OR REPLACE FUNCTION book.follow_revisits(citizen uuid, facility text, source text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN care.file_appointments(citizen, facility, book.revisit_source(source), 'PAPER', coalesce((
    SELECT book.revisits(v, (SELECT jsonb_agg(to_jsonb(d)) FROM book.document d WHERE d.citizen_id = citizen AND d.visit_id = v.id AND d.kind = 'REEXAMINATION'))
      FROM book.visit v WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = source), '[]'));
END $$;
REVOKE ALL ON FUNCTION book.revisit_source, book.revisits, book.follow_revisits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.revisit_source TO worker, book_writer;
GRANT EXECUTE ON FUNCTION book.revisits, book.follow_revisits TO worker;
