-- owner: auth_owner
-- The public keys with which a facility's system may sign its assertions (RFC 7523).
CREATE OR REPLACE FUNCTION auth.client_keys(client_id text) RETURNS SETOF jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.jwk FROM auth.client_key k JOIN directory.facility f ON f.code = k.facility_code
   WHERE k.facility_code = client_id AND k.revoked_at IS NULL AND f.suspended_at IS NULL
$$;
REVOKE ALL ON FUNCTION auth.client_keys FROM PUBLIC;

-- Opens the session of a facility's system whose assertion was verified; false when the assertion was used before. With a
-- certificate the session is that practitioner's, who paired with the system and practises there today; null when not.
CREATE OR REPLACE FUNCTION auth.open_client_session(client_id text, assertion_id text, assertion_expires_at timestamptz,
                                                    session_id uuid, token text, life interval, practitioner text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE acts_for uuid; present timestamptz := clock_timestamp();
BEGIN
  DELETE FROM auth.used_assertion u WHERE u.expires_at < clock_timestamp() - interval '1 minute';
  INSERT INTO auth.used_assertion VALUES (client_id, assertion_id, assertion_expires_at) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM FROM directory.facility f WHERE f.code = client_id AND f.suspended_at IS NULL FOR SHARE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF practitioner IS NOT NULL THEN
    SELECT p.id INTO acts_for FROM auth.practitioner p JOIN auth.pairing g ON g.practitioner_id = p.id
     WHERE p.certificate = practitioner AND g.facility_code = client_id AND g.ended_at IS NULL AND auth.practises(p.id, client_id)
       FOR SHARE OF g;
    IF acts_for IS NULL THEN
      RETURN NULL;
    END IF;
    INSERT INTO auth.session (id, token_hash, practitioner_id, via_facility_code, level, created_at, expires_at)
    VALUES (session_id, sha256(convert_to(token, 'UTF8')), acts_for, client_id, 2, present, present + life);
    RETURN true;
  END IF;
  DELETE FROM auth.session s WHERE s.facility_code = client_id AND s.expires_at < present;
  INSERT INTO auth.session (id, token_hash, facility_code, created_at, expires_at)
  VALUES (session_id, sha256(convert_to(token, 'UTF8')), client_id, present, present + life);
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION auth.open_client_session FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO ingest;
GRANT EXECUTE ON FUNCTION auth.client_keys, auth.open_client_session, auth.calling_facility TO ingest;
