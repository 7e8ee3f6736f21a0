-- owner: auth_owner
-- Marks a DPoP proof as used; false when it was used before, in whichever process (RFC 9449 §11.1). With a token its
-- session must be alive and bound to that key, else SK401: who has no session leaves nothing here. A proof is accepted
-- for 70 seconds, so rows are kept for two minutes; every fiftieth call sweeps, for all of them a hundred at most. It asks
-- now(): clock_timestamp() is no condition of an index, and all rows would be read.
CREATE OR REPLACE FUNCTION auth.is_first_use(proof_key bytea, proof text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE is_new boolean;
BEGIN
  INSERT INTO auth.used_proof VALUES (proof_key, proof, clock_timestamp() + interval '2 minutes') ON CONFLICT DO NOTHING;
  is_new := FOUND;
  IF random() < 0.02 THEN
    DELETE FROM auth.used_proof u WHERE u.ctid = ANY (ARRAY(
      SELECT p.ctid FROM auth.used_proof p WHERE p.expires_at < now() ORDER BY p.expires_at LIMIT 100 FOR UPDATE SKIP LOCKED));
  END IF;
  RETURN is_new;
END $$;
CREATE OR REPLACE FUNCTION auth.use_proof(token text, proof_key bytea, proof text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session;
BEGIN
  IF token IS NOT NULL THEN
    live := auth.live_session(token, proof_key);
    PERFORM auth.note_seen(live.id);
  END IF;
  RETURN auth.is_first_use(proof_key, proof);
END $$;
REVOKE ALL ON FUNCTION auth.use_proof FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.use_proof TO desk;

-- The same in the transaction of what the proof is for: `shown` is its key's thumbprint (32 bytes) with its id after it.
-- What is refused leaves no row; app/identity/proving.py marks such a proof afterwards. SK401: it was used before.
CREATE OR REPLACE FUNCTION auth.spend_proof(session uuid, shown bytea) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM auth.note_seen(session);
  IF NOT auth.is_first_use(substr(shown, 1, 32), convert_from(substr(shown, 33), 'UTF8')) THEN
    RAISE EXCEPTION 'the proof was used before' USING ERRCODE = 'SK401';
  END IF;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION auth.is_first_use, auth.spend_proof FROM PUBLIC;

-- Notes that a session is in use, once a minute at most: all other calls only read.
CREATE OR REPLACE FUNCTION auth.note_seen(session uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM auth.seen n WHERE n.session_id = session AND n.at > clock_timestamp() - interval '1 minute';
  IF NOT FOUND THEN
    INSERT INTO auth.seen VALUES (session, clock_timestamp()) ON CONFLICT (session_id) DO UPDATE SET at = excluded.at;
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.note_seen FROM PUBLIC;

