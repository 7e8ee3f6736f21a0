-- owner: auth_owner
-- Renews a session: the token shown is used up, its successor and a new access token take its place. Shown again within
-- `grace`, before its successor was used, it gives the same pair again: the answer may have been lost on the way. Shown
-- at any other time, by another client or with another key, it was stolen: the session ends and its person is told.
-- Outcome: RENEWED, REPEATED, or why not: UNKNOWN, ENDED, REUSED.
CREATE OR REPLACE FUNCTION auth.renew_session(refresh text, client text, key bytea, new_access text, new_refresh text, access_life interval,
  grace interval, OUT outcome text, OUT scope text, OUT level smallint, OUT seconds int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  shown bytea := sha256(convert_to(refresh, 'UTF8'));
  next bytea := sha256(convert_to(new_refresh, 'UTF8'));
  token auth.refresh_token; renewal auth.renewal; live auth.session; present timestamptz;
BEGIN
  SELECT s.* INTO live FROM auth.session s JOIN auth.refresh_token r ON r.session_id = s.id WHERE r.token_hash = shown FOR UPDATE OF s;
  IF NOT FOUND THEN
    outcome := 'UNKNOWN'; RETURN;
  END IF;
  present := clock_timestamp();
  SELECT r.* INTO token FROM auth.refresh_token r WHERE r.token_hash = shown;  -- as it is now that its session is locked
  SELECT n.* INTO renewal FROM auth.renewal n WHERE n.session_id = live.id;
  IF live.ended_at IS NOT NULL OR renewal.until <= present OR (token.used_at IS NULL AND token.expires_at <= present)
    OR EXISTS (SELECT FROM auth.account a JOIN auth.citizen c ON c.id = a.citizen_id
                WHERE a.id = renewal.account_id AND (a.closed_at IS NOT NULL OR c.closed_at IS NOT NULL)) THEN
    outcome := 'ENDED';
  ELSIF renewal.client_id <> client OR live.key_thumbprint IS DISTINCT FROM key THEN
    outcome := 'REUSED';
  ELSIF token.used_at IS NULL THEN
    outcome := 'RENEWED';
    UPDATE auth.refresh_token r SET used_at = present, successor_hash = next WHERE r.token_hash = shown;
    INSERT INTO auth.refresh_token VALUES (next, live.id, least(renewal.until, present + renewal.idle));
    UPDATE auth.session s SET token_hash = sha256(convert_to(new_access, 'UTF8')), expires_at = least(renewal.until, present + access_life)
     WHERE s.id = live.id RETURNING s.expires_at INTO live.expires_at;
  ELSIF token.used_at > present - grace AND token.successor_hash = next
    AND EXISTS (SELECT FROM auth.refresh_token r WHERE r.token_hash = next AND r.used_at IS NULL) THEN
    outcome := 'REPEATED';
  ELSE
    outcome := 'REUSED';
  END IF;
  IF outcome = 'REUSED' THEN
    PERFORM auth.end_reused(live, renewal);
  ELSIF outcome <> 'ENDED' THEN
    PERFORM auth.note_seen(live.id);
  END IF;
  scope := renewal.scope; level := live.level; seconds := floor(extract(epoch FROM live.expires_at - present));
END $$;
REVOKE ALL ON FUNCTION auth.renew_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.renew_session TO porter;
