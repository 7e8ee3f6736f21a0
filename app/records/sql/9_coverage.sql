-- owner: book_owner
-- What a book lacks, as far as it shows that itself: care that a paper, another visit or an appointment speaks of and of which
-- its facility has sent nothing, and tests of a visit whose results have not come. Runs as its caller.
CREATE OR REPLACE FUNCTION book.coverage_gaps(citizen uuid)
RETURNS TABLE (kind text, facility_code text, about_on date, visit_id uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH visits AS MATERIALIZED (
    SELECT v.id, v.facility_code, v.source_id, v.referred_from_code, v.referred_to_code, (v.started_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS began_on,
           (coalesce(v.ended_at, v.started_at) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS ended_on
      FROM book.visit v WHERE v.citizen_id = citizen
  ), told AS (  -- who was there, about when
    SELECT 'REFERRED_TO' AS kind, v.referred_to_code AS facility, v.ended_on AS about_on, v.id AS visit_id, v.ended_on - 1 AS first, v.ended_on + 30 AS last FROM visits v
    UNION SELECT 'REFERRED_TO', d.referred_to_code, v.ended_on, v.id, v.ended_on - 1, v.ended_on + 30
      FROM book.document d JOIN visits v ON v.id = d.visit_id WHERE d.citizen_id = citizen AND d.kind = 'REFERRAL'
    UNION ALL SELECT 'REFERRED_FROM', v.referred_from_code, v.began_on, v.id, v.began_on - 60, v.began_on + 1 FROM visits v
    UNION ALL SELECT 'APPOINTMENT', a.facility_code, a.day, NULL, a.day - 2, a.day + 2
      FROM (SELECT DISTINCT p.facility_code, (p.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day FROM care.appointment p
             WHERE p.citizen_id = citizen AND p.state = 'LIVE') a
  )
  SELECT t.kind, t.facility, t.about_on, t.visit_id
    FROM told t, (VALUES ((clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) c (today)
   WHERE t.facility <> '' AND t.last < c.today
     AND NOT EXISTS (SELECT FROM visits v WHERE v.facility_code = t.facility AND v.id IS DISTINCT FROM t.visit_id AND v.began_on <= t.last AND v.ended_on >= t.first)
  UNION ALL
  SELECT 'RESULTS_MISSING', v.facility_code, v.began_on, v.id
    FROM visits v, (VALUES ((clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) c (today)
   WHERE v.ended_on + 7 < c.today  -- corrections come within seven working days
     AND EXISTS (SELECT FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = v.id AND s.group_code IN ('1', '2', '3'))
     AND NOT EXISTS (SELECT FROM book.test_report r WHERE r.citizen_id = citizen AND r.visit_id = v.id)
     AND NOT EXISTS (SELECT FROM book.imaging_study i WHERE i.citizen_id = citizen AND (i.facility_code, i.visit_source_id) = (v.facility_code, v.source_id));
END $$;

-- The last day for which the drugs of a prescription were given, by the days that its doses or instructions name (XML2 LIEU_DUNG: "2
-- viên/lần * 2 lần/ngày * 5 ngày"); NULL where none is named.
CREATE OR REPLACE FUNCTION book.runs_until(citizen uuid, prescription uuid, ordered_at timestamptz) RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (ordered_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date + max(CASE d.days::int WHEN 0 THEN 1 ELSE d.days::int END) - 1
    FROM book.prescription_item i, LATERAL (SELECT substring(concat_ws(' ; ', i.dose, i.instruction) FROM '(?i)(?:^|[^0-9.,])([0-9]{1,3})\s*(?:ngày|ngay|days?)\M')) d (days)
   WHERE i.citizen_id = citizen AND i.prescription_id = prescription
$$;
-- Whether somebody is still to take them: a prescription that names no days counts for thirty (Circular 26/2025: the longest of an ordinary one).
CREATE OR REPLACE FUNCTION book.is_running(citizen uuid, prescription uuid, ordered_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(book.runs_until(citizen, prescription, ordered_at), (ordered_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date + 29)
         >= (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
$$;
REVOKE ALL ON FUNCTION book.coverage_gaps, book.runs_until, book.is_running FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.coverage_gaps, book.runs_until, book.is_running TO book_reader;
