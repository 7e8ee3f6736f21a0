-- owner: auth_owner
-- Binds a transaction of `desk` to a session. The policies resolve the secret again in each statement,
-- so that a setting made by hand names nobody whose secret its maker does not know.
CREATE OR REPLACE FUNCTION auth.sign_in(token text, proof_key bytea, OUT citizen_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE done text;
BEGIN
  citizen_id := (auth.live_session(token, proof_key)).citizen_id;
  IF citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  END IF;
  done := set_config('desk.token', token, true);
  done := set_config('desk.proof_key', coalesce(encode(proof_key, 'hex'), ''), true);
END $$;
REVOKE ALL ON FUNCTION auth.sign_in FROM PUBLIC;

CREATE OR REPLACE FUNCTION auth.me() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (auth.live_session(current_setting('desk.token', true),
                            decode(nullif(current_setting('desk.proof_key', true), ''), 'hex'))).citizen_id;
END $$;
REVOKE ALL ON FUNCTION auth.me FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO desk;
GRANT EXECUTE ON FUNCTION auth.sign_in, auth.me TO desk;
