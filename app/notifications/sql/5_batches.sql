-- owner: auth_owner
-- The same for many in one transaction: commits are what telling costs most.
CREATE OR REPLACE FUNCTION notice.events_to_tell(wanted uuid[])
RETURNS TABLE (event_id uuid, kind text, about jsonb, happened_at timestamptz, about_id uuid, person uuid, facility text, starts_at timestamptz,
               muted text[], is_quiet boolean, quiet_from time, quiet_until time)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT w.event, t.* FROM unnest(wanted) w (event), notice.event_to_tell(w.event) t
$$;

-- In the order of their ids, so that two workers do not wait for one another.
CREATE OR REPLACE FUNCTION notice.take_pushes(wanted uuid[], hold interval)
RETURNS TABLE (notice_id uuid, class text, thread text, target_id uuid, kind text, sealed bytea, language text, registered_at timestamptz,
               attempts int, wait_seconds int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE one uuid;
BEGIN
  FOR one IN SELECT w.id FROM unnest(wanted) w (id) ORDER BY w.id LOOP
    RETURN QUERY SELECT one, t.* FROM notice.take_push(one, hold) t;
  END LOOP;
END $$;

-- `settled`: [{notice, targets, later}], targets as notice.settle_push has them. Returns how many phones still wait.
CREATE OR REPLACE FUNCTION notice.settle_pushes(settled jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE one record; waiting int := 0;
BEGIN
  FOR one IN SELECT s.* FROM jsonb_to_recordset(settled) AS s (notice uuid, targets jsonb, later double precision) ORDER BY s.notice LOOP
    waiting := waiting + notice.settle_push(one.notice, one.targets, make_interval(secs => one.later));
  END LOOP;
  RETURN waiting;
END $$;
REVOKE ALL ON FUNCTION notice.events_to_tell, notice.take_pushes, notice.settle_pushes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.events_to_tell, notice.take_pushes, notice.settle_pushes TO worker;
