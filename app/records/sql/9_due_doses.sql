-- owner: book_owner
-- The national schedule for the child whose book is open: each dose that was asked of a child of this age, and where it
-- stands today. Runs as its caller: it sees the doses that the reader's policies show.
-- A dose of a series is done when each of its antigens was given as often as its number says, at an age that counts.
CREATE OR REPLACE FUNCTION book.due_doses(citizen uuid)
RETURNS TABLE (series text, dose int, name_vi text, name_en text, antigens text[], due_on date, late_from date, closes_on date,
               done_at timestamptz, vaccination_id uuid, state text, source text, is_confirmed boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH child AS MATERIALIZED (
    SELECT c.birth_on, c.sex, (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS today FROM auth.citizen c
     WHERE c.id = citizen AND c.birth_precision <> 'YEAR'
  ), given AS MATERIALIZED (
    SELECT v.id, v.antigens, v.injected_at, (v.injected_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - c.birth_on AS age
      FROM book.vaccination v, child c WHERE v.citizen_id = citizen AND v.id = v.dose_id AND v.status = 'GIVEN'
  ), scheduled AS (
    SELECT s.*, c.birth_on, c.today, done.at, done.by, c.birth_on + s.due_days AS by_age
      FROM child c JOIN code.scheduled_dose s ON (s.sex IS NULL OR s.sex = c.sex)
       AND c.birth_on + s.due_days >= s.valid_from AND (s.valid_until IS NULL OR c.birth_on + s.due_days < s.valid_until)
      LEFT JOIN LATERAL (
        SELECT max(n.injected_at) AS at, (array_agg(n.id ORDER BY n.injected_at DESC, n.id))[1] AS by
          FROM unnest(s.antigens) a(antigen) LEFT JOIN LATERAL (
            SELECT g.id, g.injected_at FROM given g WHERE a.antigen = ANY (g.antigens) AND g.age >= s.counts_from_days
               AND (s.counts_until_days IS NULL OR g.age <= s.counts_until_days)
             ORDER BY g.injected_at, g.id OFFSET s.dose - 1 LIMIT 1) n ON true
        HAVING bool_and(n.id IS NOT NULL)) done ON true
     WHERE c.today < c.birth_on + interval '18 years'
  ), dated AS (
    SELECT s.*, greatest(s.by_age, (lag(s.at) OVER before AT TIME ZONE 'Asia/Ho_Chi_Minh')::date + s.min_interval_days) AS due
      FROM scheduled s WINDOW before AS (PARTITION BY s.series ORDER BY s.dose)
  )
  SELECT d.series, d.dose::int, d.name_vi, d.name_en, d.antigens, d.due, d.due + (d.late_days - d.due_days),
         d.birth_on + d.closes_days, d.at, d.by,
         CASE WHEN d.at IS NOT NULL THEN 'DONE' WHEN d.today >= d.birth_on + d.closes_days THEN 'CLOSED'
              WHEN d.today < d.due THEN 'UPCOMING' WHEN d.today < d.due + (d.late_days - d.due_days) THEN 'DUE' ELSE 'LATE' END,
         d.source, d.certainty = 'confirmed'
    FROM dated d
$$;
REVOKE ALL ON FUNCTION book.due_doses FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.due_doses TO book_reader;
