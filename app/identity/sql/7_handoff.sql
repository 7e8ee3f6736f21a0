-- owner: auth_owner
-- Keeps a one-time code for the app, bound to its client, address and PKCE challenge; only the code's hash.
CREATE OR REPLACE FUNCTION auth.issue_handoff(code text, granted jsonb, life interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE handoff auth.handoff := jsonb_populate_record(NULL::auth.handoff, granted);
BEGIN
  DELETE FROM auth.handoff h WHERE h.expires_at < clock_timestamp() - interval '1 hour';
  handoff.code_hash := sha256(convert_to(code, 'UTF8'));
  handoff.expires_at := clock_timestamp() + life;
  handoff.spent_at := NULL;
  handoff.session_id := NULL;
  INSERT INTO auth.handoff SELECT handoff.*;
END $$;
REVOKE ALL ON FUNCTION auth.issue_handoff FROM PUBLIC;

-- Opens the session of a code: once, in time, for the client, address and challenge that it was made for. A code that
-- comes again ends the session that it opened (RFC 6749 §4.1.2). No row: refused, whatever the reason. The session is bound to
-- `key`, if one was proved, and belongs to a device (auth.place_device).
CREATE OR REPLACE FUNCTION auth.redeem_handoff(code text, client text, address text, proof text, key bytea, device jsonb, session uuid,
  access text, refresh text, access_life interval, idle interval, absolute interval) RETURNS TABLE (scope text, level smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE taken auth.handoff; citizen uuid; practitioner uuid; present timestamptz := clock_timestamp();
BEGIN
  UPDATE auth.handoff h SET spent_at = present
   WHERE h.code_hash = sha256(convert_to(code, 'UTF8')) AND h.spent_at IS NULL RETURNING h.* INTO taken;
  IF NOT FOUND THEN
    UPDATE auth.session s SET ended_at = present FROM auth.handoff h
     WHERE h.code_hash = sha256(convert_to(code, 'UTF8')) AND s.id = h.session_id AND s.ended_at IS NULL;
    RETURN;
  END IF;
  SELECT c.id INTO citizen FROM auth.account a JOIN auth.citizen c ON c.id = a.citizen_id
   WHERE a.id = taken.account_id AND a.closed_at IS NULL AND c.closed_at IS NULL;
  IF citizen IS NULL OR taken.expires_at <= present OR (taken.client_id, taken.redirect_uri, taken.challenge) IS DISTINCT FROM (client, address, proof)
     OR (taken.key_thumbprint IS NOT NULL AND taken.key_thumbprint IS DISTINCT FROM key) THEN
    RETURN;
  END IF;
  IF 'practitioner' = ANY (string_to_array(taken.scope, ' ')) THEN  -- one role: who acts as a practitioner is no citizen here
    practitioner := auth.practitioner_of_account(taken.account_id);
    IF practitioner IS NULL THEN
      RETURN;
    END IF;
  END IF;
  DELETE FROM auth.renewal n USING auth.session s WHERE s.id = n.session_id AND n.account_id = taken.account_id
     AND least(s.ended_at, n.until) < present - interval '1 day';
  INSERT INTO auth.session (id, token_hash, citizen_id, practitioner_id, key_thumbprint, level, created_at, expires_at)
  VALUES (session, sha256(convert_to(access, 'UTF8')), CASE WHEN practitioner IS NULL THEN citizen END, practitioner, key, taken.level, present, present + access_life);
  INSERT INTO auth.renewal (session_id, account_id, client_id, provider_session, scope, idle, until)
  VALUES (session, taken.account_id, client, taken.provider_session, taken.scope, idle, present + absolute);
  INSERT INTO auth.refresh_token VALUES (sha256(convert_to(refresh, 'UTF8')), session, present + idle);
  PERFORM auth.place_device(session, citizen, device);
  UPDATE auth.handoff h SET session_id = session WHERE h.code_hash = taken.code_hash;
  RETURN QUERY SELECT taken.scope, taken.level;
END $$;
REVOKE ALL ON FUNCTION auth.redeem_handoff FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.issue_handoff, auth.redeem_handoff TO porter;
