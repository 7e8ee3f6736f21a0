-- owner: auth_owner
-- Ends the session of an access or refresh token, when it is that client's and bound to that key, if one was proved (RFC 7009).
CREATE OR REPLACE FUNCTION auth.revoke_token(token text, client text, key bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.session s SET ended_at = clock_timestamp() FROM auth.renewal n
   WHERE n.session_id = s.id AND n.client_id = client AND (key IS NULL OR s.key_thumbprint = key) AND s.ended_at IS NULL
     AND (s.token_hash = sha256(convert_to(token, 'UTF8'))
          OR s.id = (SELECT r.session_id FROM auth.refresh_token r WHERE r.token_hash = sha256(convert_to(token, 'UTF8'))))
$$;
REVOKE ALL ON FUNCTION auth.revoke_token FROM PUBLIC;

-- Marks a token of an identity provider as used; false when it was used before.
CREATE OR REPLACE FUNCTION auth.use_token(provider text, id text, useful_until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM auth.used_token u WHERE u.expires_at < clock_timestamp() - interval '1 minute';
  INSERT INTO auth.used_token VALUES (provider, id, useful_until) ON CONFLICT DO NOTHING;
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION auth.use_token FROM PUBLIC;

-- Ends the sessions that the identity provider names by session, by subject or by both, and codes not yet fetched.
CREATE OR REPLACE FUNCTION auth.end_provider_sessions(provider text, account_subject text, session text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE ended int;
BEGIN
  IF num_nonnulls(account_subject, session) = 0 THEN
    RETURN 0;
  END IF;
  UPDATE auth.handoff h SET spent_at = clock_timestamp() FROM auth.account a
   WHERE a.id = h.account_id AND a.issuer = provider AND h.spent_at IS NULL
     AND a.subject = coalesce(account_subject, a.subject) AND (session IS NULL OR h.provider_session = session);
  UPDATE auth.session s SET ended_at = clock_timestamp() FROM auth.renewal n JOIN auth.account a ON a.id = n.account_id
   WHERE n.session_id = s.id AND a.issuer = provider AND s.ended_at IS NULL
     AND a.subject = coalesce(account_subject, a.subject) AND (session IS NULL OR n.provider_session = session);
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;
REVOKE ALL ON FUNCTION auth.end_provider_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.revoke_token, auth.use_token, auth.end_provider_sessions TO porter;

-- Ends all other sessions of the signed-in person, on the same conditions; returns how many.
CREATE OR REPLACE FUNCTION auth.end_other_sessions() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  IF NOT auth.is_fresh(live) THEN
    PERFORM auth.require_step_up(live, 'SESSIONS');
  END IF;
  RETURN auth.end_sessions_but(live, 'ASKED');
END $$;
REVOKE ALL ON FUNCTION auth.end_other_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.end_other_sessions TO desk;
