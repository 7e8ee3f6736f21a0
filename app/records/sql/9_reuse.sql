-- owner: book_owner
-- For each ordered code the newest earlier result that counts: an index of a laboratory by whatever code facilities name it, a
-- report of the ordered service, an imaging study. Both functions run as their caller: they see what the reader's policies show.
-- A sample is as old as it is told to be, else as its service was done or ordered, else as its result.
CREATE OR REPLACE FUNCTION book.reusable(citizen uuid, codes text[])
RETURNS TABLE (place int, asked text, subject text, report_id uuid, study_id uuid, name text, value_text text, unit text, facility_code text,
               at timestamptz, is_sampled boolean, conclusion text, study_uid text, dicomweb_url text, saves numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH wanted AS (
    SELECT w.place::int, w.code AS asked, coalesce((SELECT min(upper(u.analyte)) FROM code.test_unit u WHERE u.code = upper(w.code)), upper(w.code)) AS subject
      FROM unnest(codes[1:50]) WITH ORDINALITY w (code, place)  -- as many as are answered
  ), names AS (
    SELECT w.place, upper(w.asked) AS code FROM wanted w
    UNION SELECT w.place, u.code FROM wanted w JOIN code.test_unit u ON upper(u.analyte) = w.subject
  ), results AS (
    SELECT n.place, t.report_id, t.line, t.name, t.value_text, t.unit, NULL::text AS subject FROM names n JOIN book.test_result t ON t.citizen_id = citizen AND upper(t.code) = n.code
    UNION ALL
    SELECT w.place, r.id, 0, r.service_name, NULL, NULL, CASE r.category WHEN 'LABORATORY' THEN coalesce((SELECT k.subject FROM book.test_result t
        LEFT JOIN code.test_unit u ON u.code = upper(t.code) JOIN code.reuse_rule k ON k.subject IN (upper(u.analyte), upper(t.code))
        WHERE t.citizen_id = citizen AND t.report_id = r.id ORDER BY k.sure_hours, k.longest_hours, k.subject LIMIT 1), w.subject) ELSE r.category END
      FROM wanted w JOIN book.test_report r ON r.citizen_id = citizen AND upper(r.service_code) = upper(w.asked)
  ), found AS (
    SELECT o.place, o.subject, r.id AS report_id, NULL::uuid AS study_id, o.line, o.name, o.value_text, o.unit, r.facility_code,
           coalesce(r.sampled_at, s.performed_at, s.ordered_at, r.resulted_at) AS at, coalesce(r.sampled_at, s.performed_at, s.ordered_at) IS NOT NULL AS is_sampled,
           r.conclusion, NULL::text AS study_uid, NULL::text AS dicomweb_url, s.unit_price
      FROM results o JOIN book.test_report r ON r.citizen_id = citizen AND r.id = o.report_id
      LEFT JOIN LATERAL (SELECT min(v.performed_at) AS performed_at, min(v.ordered_at) AS ordered_at, max(v.unit_price) AS unit_price FROM book.visit_service v
                          WHERE v.citizen_id = citizen AND v.visit_id = r.visit_id AND upper(v.code) = upper(r.service_code)) s ON true
    UNION ALL
    SELECT w.place, 'IMAGING', NULL, i.id, 0, i.procedure_name, NULL, NULL, i.facility_code, i.started_at, true, i.conclusion, i.study_uid, i.dicomweb_url, NULL
      FROM wanted w JOIN book.imaging_study i ON i.citizen_id = citizen AND upper(i.procedure_code) = upper(w.asked)
  )
  SELECT DISTINCT ON (w.place) w.place, w.asked, coalesce(f.subject, w.subject), f.report_id, f.study_id, f.name, f.value_text, f.unit, f.facility_code, f.at, f.is_sampled,
         f.conclusion, f.study_uid, f.dicomweb_url, f.unit_price
    FROM wanted w LEFT JOIN found f ON f.place = w.place
   ORDER BY w.place, f.at DESC, f.study_id, f.report_id, f.line
$$;

CREATE OR REPLACE FUNCTION book.is_positive(result text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(result ~* 'dương|positive|detected|phát hiện|\+' AND result !~* 'âm tính|negative|not detected|không phát hiện|chưa phát hiện|dương tính giả', false)
$$;
REVOKE ALL ON FUNCTION book.reusable, book.is_positive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.reusable, book.is_positive TO book_reader;
