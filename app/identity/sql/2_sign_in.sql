-- owner: auth_owner
-- Binds a transaction of `desk` to a person's session, as a citizen or as a practitioner, never both. The policies
-- resolve the secret again in each statement, so that a setting made by hand names nobody whose secret its maker does not know.
CREATE OR REPLACE FUNCTION auth.sign_in(token text, proof_key bytea, OUT citizen_id uuid, OUT practitioner_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.live_session(token, substr(proof_key, 1, 32)); done text;
BEGIN
  IF live.facility_code IS NOT NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  END IF;
  IF length(proof_key) > 32 THEN
    done := auth.spend_proof(live.id, proof_key);
    proof_key := substr(proof_key, 1, 32);
  ELSE
    PERFORM auth.note_seen(live.id);
  END IF;
  citizen_id := live.citizen_id;
  practitioner_id := live.practitioner_id;
  done := set_config('desk.token', token, true);
  done := set_config('desk.proof_key', coalesce(encode(proof_key, 'hex'), ''), true);
END $$;
REVOKE ALL ON FUNCTION auth.sign_in FROM PUBLIC;

-- The session that this transaction signed in with; SK401 when it did not, or when the session has ended since.
CREATE OR REPLACE FUNCTION auth.my_session() RETURNS auth.session
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT auth.live_session(current_setting('desk.token', true),
                           decode(nullif(current_setting('desk.proof_key', true), ''), 'hex'))
$$;
REVOKE ALL ON FUNCTION auth.my_session FROM PUBLIC;

CREATE OR REPLACE FUNCTION auth.me() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT (auth.my_session()).citizen_id
$$;
REVOKE ALL ON FUNCTION auth.me FROM PUBLIC;

-- The practitioner as whom this transaction signed in; null for a citizen.
CREATE OR REPLACE FUNCTION auth.my_practitioner() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT (auth.my_session()).practitioner_id
$$;
REVOKE ALL ON FUNCTION auth.my_practitioner FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO desk;
GRANT EXECUTE ON FUNCTION auth.sign_in, auth.me, auth.my_practitioner TO desk;
