-- owner: auth_owner
-- Whether a session has a fresh second factor for an action.
CREATE OR REPLACE FUNCTION auth.is_stepped_up(live auth.session, wanted text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM auth.step_up s
    WHERE s.session_id = live.id AND s.action IN (wanted, '*') AND s.until > clock_timestamp())
$$;

-- SK428: it has not. Which operations ask for which action: app/identity/step_up.py.
CREATE OR REPLACE FUNCTION auth.require_step_up(live auth.session, wanted text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT auth.is_stepped_up(live, wanted) THEN
    RAISE EXCEPTION 'a fresh second factor is needed' USING ERRCODE = 'SK428';
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.is_stepped_up, auth.require_step_up FROM PUBLIC;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['factor', 'recovery_code'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
