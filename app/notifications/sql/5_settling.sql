-- owner: auth_owner
-- Writes what became of pushes. `settled`: [{notice, targets: [{target, state, reason, registered_at, later}]}]; a phone that is GONE
-- is forgotten, if it was not registered again meanwhile. One that still waits is tried again in `later` seconds, the others
-- of its notice when their own time has come.
CREATE OR REPLACE FUNCTION notice.settle_pushes(settled jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE present timestamptz := clock_timestamp();
BEGIN
  UPDATE notice.push p SET state = s.state, reason = s.reason, attempts = p.attempts + 1, settled_at = present,
      try_at = CASE s.state WHEN 'WAITING' THEN present + make_interval(secs => coalesce(s.later, n.later)) END
    FROM jsonb_to_recordset(settled) n (notice uuid, targets jsonb, later double precision),  -- `later` of a worker of an older release
         jsonb_to_recordset(n.targets) s (target uuid, state text, reason text, later double precision)
   WHERE p.notice_id = n.notice AND p.target_id = s.target AND p.state = 'WAITING';
  DELETE FROM notice.push_target t
   USING jsonb_to_recordset(settled) n (targets jsonb), jsonb_to_recordset(n.targets) s (target uuid, state text, registered_at timestamptz)
   WHERE s.state = 'GONE' AND t.id = s.target AND t.registered_at = s.registered_at;
  UPDATE notice.notice n SET in_hand_until = NULL,
      try_at = (SELECT min(coalesce(p.try_at, present)) FROM notice.push p WHERE p.notice_id = n.id AND p.state = 'WAITING')
    FROM jsonb_to_recordset(settled) s (notice uuid) WHERE n.id = s.notice;
END $$;
DROP FUNCTION IF EXISTS notice.settle_push(uuid, jsonb, interval);
REVOKE ALL ON FUNCTION notice.settle_pushes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.settle_pushes TO worker;
