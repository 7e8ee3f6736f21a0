-- owner: auth_owner
-- Remembers a login that begins in one browser; only hashes of its secrets.
CREATE OR REPLACE FUNCTION auth.begin_login(state text, browser text, asked jsonb, life interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE login auth.login := jsonb_populate_record(NULL::auth.login, asked);
BEGIN
  DELETE FROM auth.login l WHERE l.expires_at < clock_timestamp();
  login.state_hash := sha256(convert_to(state, 'UTF8'));
  login.browser_hash := sha256(convert_to(browser, 'UTF8'));
  login.expires_at := clock_timestamp() + life;
  login.taken_at := NULL;
  INSERT INTO auth.login SELECT login.*;
END $$;
REVOKE ALL ON FUNCTION auth.begin_login FROM PUBLIC;

-- Takes a login: once, in time, and gives it to the browser that began it only. Nobody else can use it after that.
CREATE OR REPLACE FUNCTION auth.take_login(state text, browser text) RETURNS SETOF auth.login
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE taken auth.login;
BEGIN
  UPDATE auth.login l SET taken_at = clock_timestamp()
   WHERE l.state_hash = sha256(convert_to(state, 'UTF8')) AND l.taken_at IS NULL AND l.expires_at > clock_timestamp()
  RETURNING l.* INTO taken;
  IF taken.browser_hash = sha256(convert_to(browser, 'UTF8')) THEN
    RETURN NEXT taken;
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.take_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.begin_login, auth.take_login TO porter;
