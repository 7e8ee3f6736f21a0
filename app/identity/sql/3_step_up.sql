-- owner: auth_owner
-- Whether a session has a fresh second factor for an action. SK428: it has not.
CREATE OR REPLACE FUNCTION auth.require_step_up(live auth.session, wanted text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM auth.step_up s WHERE s.session_id = live.id AND s.action IN (wanted, '*') AND s.until > clock_timestamp();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a fresh second factor is needed' USING ERRCODE = 'SK428';
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.require_step_up FROM PUBLIC;
