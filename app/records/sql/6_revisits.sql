-- owner: book_owner
-- The appointments that a visit tells: its re-examination papers, and the days of its own record that have no paper.
CREATE OR REPLACE FUNCTION book.revisits(citizen uuid, visit uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH seen AS (
    SELECT v.revisit_on, v.masked, v.sensitive, v.department_codes[array_upper(v.department_codes, 1)] AS department
      FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit),
  paper AS (
    SELECT d.source_id, d.appointment_at, d.masked, d.sensitive FROM book.document d
     WHERE d.citizen_id = citizen AND d.visit_id = visit AND d.kind = 'REEXAMINATION' AND d.appointment_at IS NOT NULL),
  told AS (
    SELECT 'paper ' || p.source_id AS key, p.appointment_at AS starts_at, false AS is_whole_day, p.masked, p.sensitive, s.department
      FROM paper p LEFT JOIN seen s ON true
    UNION ALL
    SELECT 'day ' || day, day::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh', true, s.masked, s.sensitive, s.department
      FROM seen s, unnest(s.revisit_on) AS day
     WHERE NOT EXISTS (SELECT FROM paper p WHERE (p.appointment_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = day))
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', uuidv7(), 'source_id', 'visit ' || visit || ' ' || t.key, 'starts_at', t.starts_at,
    'is_whole_day', t.is_whole_day, 'masked', t.masked, 'sensitive', t.sensitive, 'department_code', t.department)), '[]') FROM told t
$$;

-- Makes, moves and cancels the appointments of a visit as it now tells them, in the transaction that files it.
DROP FUNCTION IF EXISTS book.follow_revisits(uuid, text, uuid);
CREATE OR REPLACE FUNCTION book.follow_revisits(citizen uuid, facility text, visit uuid, visit_is_new boolean) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE told jsonb := book.revisits(citizen, visit);
BEGIN
  IF visit_is_new AND told = '[]' THEN  -- nor did it tell of any before
    RETURN 0;
  END IF;
  RETURN care.file_appointments(citizen, facility, 'visit ' || visit, 'PAPER', told, visit_is_new);
END $$;
REVOKE ALL ON FUNCTION book.revisits, book.follow_revisits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.revisits, book.follow_revisits TO worker;
