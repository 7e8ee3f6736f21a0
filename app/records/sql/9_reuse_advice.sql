-- owner: book_owner
-- Whether the newest earlier result may stand in for a test that is about to be ordered, by the rules in force today, and why.
-- `facility` is where it would be made again: its laboratory accepts what one of its own level or a higher one has found.
CREATE OR REPLACE FUNCTION book.level_of(facility text, at timestamptz) RETURNS int
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT l.level::int FROM directory.laboratory_level l, (VALUES ((at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) t (day)
   WHERE l.facility_code = facility AND l.valid_from <= t.day AND (l.valid_until IS NULL OR l.valid_until > t.day) ORDER BY l.valid_from DESC LIMIT 1);
END $$;

CREATE OR REPLACE FUNCTION book.reuse_advice(citizen uuid, codes text[], facility text)
RETURNS TABLE (place int, code text, advice text, reason text, report_id uuid, study_id uuid, name text, value_text text, unit text, facility_code text,
               sampled_at timestamptz, good_until timestamptz, laboratory_level int, saves numeric, source text, is_confirmed boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH judged AS (
    SELECT f.*, k.sure_hours, k.longest_hours, k.positives_only, k.source, k.certainty, level.own, level.asking, clock_timestamp() - f.at AS age,
           f.study_id IS NOT NULL OR f.subject = 'IMAGING' AS is_image,
           EXISTS (SELECT FROM directory.image_link(f.facility_code, f.study_uid, f.dicomweb_url)) AS has_images
      FROM book.reusable(citizen, codes) f
      CROSS JOIN LATERAL (SELECT book.level_of(f.facility_code, f.at) AS own, book.level_of(facility, clock_timestamp()) AS asking) level
      LEFT JOIN LATERAL (
        SELECT r.* FROM code.reuse_rule r, (VALUES ((clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) t (today)
         WHERE r.subject = f.subject AND r.valid_from <= t.today AND (r.valid_until IS NULL OR r.valid_until > t.today) ORDER BY r.valid_from DESC LIMIT 1) k ON true
  ), reasoned AS (
    SELECT j.*, CASE
      WHEN j.report_id IS NULL AND j.study_id IS NULL THEN 'NOTHING_FOUND'
      WHEN j.is_image AND j.conclusion IS NULL THEN 'NO_CONCLUSION'
      WHEN j.is_image AND NOT j.has_images THEN 'NO_IMAGES'
      WHEN j.is_image THEN 'WHOLE_STUDY'
      WHEN j.age > make_interval(hours => coalesce(j.longest_hours, 1440)) THEN 'TOO_OLD'  -- no rule of the draft is longer than 60 days
      WHEN j.positives_only AND NOT book.is_positive(j.value_text) THEN 'NOT_POSITIVE'
      WHEN j.longest_hours IS NULL THEN 'NO_RULE'
      WHEN j.age > make_interval(hours => j.sure_hours) THEN 'OLDER_THAN_SURE'
      WHEN NOT j.is_sampled THEN 'SAMPLE_TIME_UNKNOWN'
      WHEN j.own IS NULL THEN 'LEVEL_UNKNOWN'
      WHEN j.asking > j.own THEN 'LEVEL_LOWER'
      ELSE 'VALID' END AS why FROM judged j
  )
  SELECT r.place, r.asked, CASE WHEN r.why IN ('NOTHING_FOUND', 'NO_CONCLUSION', 'TOO_OLD', 'NOT_POSITIVE') THEN 'REPEAT'
           WHEN r.why IN ('VALID', 'WHOLE_STUDY') THEN 'REUSE' ELSE 'REUSE_WITH_CARE' END, r.why,
         r.report_id, r.study_id, r.name, r.value_text, r.unit, r.facility_code, r.at,
         CASE WHEN NOT r.is_image THEN r.at + make_interval(hours => r.longest_hours) END, CASE WHEN NOT r.is_image THEN r.own END, r.saves,
         r.source, r.certainty = 'confirmed' FROM reasoned r;
END $$;
REVOKE ALL ON FUNCTION book.level_of, book.reuse_advice FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.level_of, book.reuse_advice TO book_reader;
