-- owner: auth_owner
-- Takes in hand, for so long, what is due to be pushed, and returns the phones that each still has to reach: those of sessions that
-- live, or can still be renewed, and whose own time has come. Not sent any more is what is read, muted, replaced by a newer notice
-- of its thread, not true any more, or late for too long, which has failed. Of one thread one is on its way at a time, by an advisory
-- lock too: two workers do not see one another's yet.
CREATE OR REPLACE FUNCTION notice.take_pushes(most int, hold interval)
RETURNS TABLE (notice_id uuid, class text, thread text, target_id uuid, kind text, sealed bytea, language text, registered_at timestamptz, attempts int, until timestamptz, worth interval)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE present timestamptz := clock_timestamp();
BEGIN
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT n.* FROM notice.notice n WHERE n.try_at <= present ORDER BY n.try_at LIMIT most FOR UPDATE SKIP LOCKED),
  seen AS MATERIALIZED (
    SELECT d.*, d.push_at IS NULL OR d.read_at IS NOT NULL OR NOT notice.still_stands(d::notice.notice) OR EXISTS (SELECT FROM notice.notice o
        WHERE o.citizen_id = d.citizen_id AND o.thread = d.thread AND (o.happened_at, o.id) > (d.happened_at, d.id) AND o.push_at <= present) AS is_over
      FROM due d),
  judged AS MATERIALIZED (
    SELECT d.id, d.citizen_id, d.class, d.thread, d.push_until, CASE
      WHEN d.is_over THEN 'OVER'
      WHEN d.push_until <= present THEN 'FAILED'
      WHEN row_number() OVER (PARTITION BY d.citizen_id, d.thread, d.is_over ORDER BY d.happened_at, d.id) > 1
        OR NOT pg_try_advisory_xact_lock(hashtextextended(d.citizen_id || ' ' || d.thread, 4)) OR EXISTS (SELECT FROM notice.notice o
          WHERE o.citizen_id = d.citizen_id AND o.thread = d.thread AND o.id <> d.id AND o.in_hand_until > present) THEN 'LATER'
      ELSE 'NOW' END AS verdict FROM seen d),
  failed AS (
    UPDATE notice.push p SET state = 'FAILED', settled_at = present FROM judged j WHERE j.verdict = 'FAILED' AND p.notice_id = j.id AND p.state = 'WAITING'),
  reached AS (
    INSERT INTO notice.push AS p SELECT j.id, t.id, 'WAITING', 0, NULL, present
      FROM judged j JOIN notice.push_target t ON t.citizen_id = j.citizen_id JOIN auth.session s ON s.id = t.session_id AND s.citizen_id = t.citizen_id
     WHERE j.verdict = 'NOW' AND s.ended_at IS NULL
       AND (s.expires_at > present OR EXISTS (SELECT FROM auth.live_families(j.citizen_id) f WHERE f.session_id = s.id))
    ON CONFLICT (notice_id, target_id) DO UPDATE SET settled_at = present WHERE p.state = 'WAITING' AND coalesce(p.try_at <= present, true)
    RETURNING p.notice_id, p.target_id, p.attempts),
  marked AS (
    UPDATE notice.notice n SET
        try_at = CASE WHEN j.verdict = 'LATER' THEN present + interval '5 seconds' WHEN j.is_taken THEN present + hold WHEN j.verdict = 'NOW' THEN
          (SELECT min(p.try_at) FROM notice.push p WHERE p.notice_id = j.id AND p.state = 'WAITING' AND p.try_at > present) END,
        in_hand_until = CASE WHEN j.is_taken THEN present + hold ELSE n.in_hand_until END
      FROM (SELECT d.id, d.verdict, EXISTS (SELECT FROM reached r WHERE r.notice_id = d.id) AS is_taken FROM judged d) j WHERE n.id = j.id)
  SELECT j.id, j.class, j.thread, t.id, t.kind, t.sealed, t.language, t.registered_at, r.attempts::int, j.push_until, j.push_until - present
    FROM reached r JOIN judged j ON j.id = r.notice_id JOIN notice.push_target t ON t.id = r.target_id;
END $$;
DROP FUNCTION IF EXISTS notice.take_pushes(uuid[], interval);
DROP FUNCTION IF EXISTS notice.take_push(uuid, interval);
REVOKE ALL ON FUNCTION notice.take_pushes FROM PUBLIC, worker;
GRANT EXECUTE ON FUNCTION notice.take_pushes TO worker;
