-- owner: auth_owner
-- Writes what became of a push. `settled`: [{target, state, reason, registered_at}]; a phone that is GONE is forgotten, if
-- it was not registered again meanwhile. What still waits is tried again after `later`.
CREATE OR REPLACE FUNCTION notice.settle_push(wanted uuid, settled jsonb, later interval) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE waiting int;
BEGIN
  UPDATE notice.push p SET state = s.state, reason = s.reason, attempts = p.attempts + 1, settled_at = clock_timestamp()
    FROM jsonb_to_recordset(settled) AS s (target uuid, state text, reason text) WHERE p.notice_id = wanted AND p.target_id = s.target;
  DELETE FROM notice.push_target t USING jsonb_to_recordset(settled) AS s (target uuid, state text, registered_at timestamptz)
   WHERE t.id = s.target AND s.state = 'GONE' AND t.registered_at = s.registered_at;
  UPDATE notice.notice n SET in_hand_until = NULL WHERE n.id = wanted;
  SELECT count(*) INTO waiting FROM notice.push p WHERE p.notice_id = wanted AND p.state = 'WAITING';
  IF later IS NOT NULL AND (waiting > 0 OR settled = '[]') THEN  -- none settled: another of its thread was on its way
    PERFORM jobs.enqueue('push', jsonb_build_object('notice_id', wanted), clock_timestamp() + later);
  END IF;
  RETURN waiting;
END $$;
REVOKE ALL ON FUNCTION notice.settle_push FROM PUBLIC, worker;
