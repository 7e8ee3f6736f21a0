-- owner: auth_owner
-- Pushes that will never arrive, counted by the push service's reason: nobody's name, phone or notice.
CREATE OR REPLACE FUNCTION notice.failed_pushes() RETURNS TABLE (reason text, failed bigint, oldest_seconds int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(p.reason, 'UNKNOWN'), count(*), extract(epoch FROM now() - min(p.settled_at))::int
    FROM notice.push p WHERE p.state = 'FAILED' GROUP BY 1 ORDER BY 2 DESC, 1
$$;
REVOKE ALL ON FUNCTION notice.failed_pushes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.failed_pushes TO worker;
