-- owner: auth_owner
-- The sessions of the signed-in person that can still be used or renewed, in every role.
CREATE OR REPLACE FUNCTION auth.my_sessions() RETURNS TABLE (id uuid, name text, platform text, as_practitioner boolean,
  is_this_one boolean, began_at timestamptz, seen_at timestamptz, until timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE live auth.session := auth.my_session(); person uuid := auth.person_of(live);
BEGIN
  RETURN QUERY
  SELECT s.id, d.name, d.platform, s.practitioner_id IS NOT NULL, s.id = live.id, s.created_at, n.at,
         coalesce(least(w.until, r.expires_at), s.expires_at)
    FROM auth.session s LEFT JOIN auth.renewal w ON w.session_id = s.id LEFT JOIN auth.device d ON d.id = w.device_id
    LEFT JOIN auth.refresh_token r ON r.session_id = s.id AND r.used_at IS NULL LEFT JOIN auth.seen n ON n.session_id = s.id
   WHERE (s.citizen_id = person OR s.practitioner_id IN (SELECT p.id FROM auth.practitioner p WHERE p.citizen_id = person))
     AND s.ended_at IS NULL AND coalesce(least(w.until, r.expires_at), s.expires_at) > clock_timestamp();
END $$;

-- Ends all sessions of a person but one, and notes why.
CREATE OR REPLACE FUNCTION auth.end_sessions_but(live auth.session, why text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE person uuid := auth.person_of(live); ended uuid[];
BEGIN
  WITH done AS (
    UPDATE auth.session s SET ended_at = clock_timestamp() WHERE s.id <> live.id AND s.ended_at IS NULL
       AND (s.citizen_id = person OR s.practitioner_id IN (SELECT p.id FROM auth.practitioner p WHERE p.citizen_id = person))
    RETURNING s.id)
  SELECT coalesce(array_agg(id), '{}') INTO ended FROM done;
  IF cardinality(ended) > 0 THEN
    PERFORM audit.write_line(person, 'SESSION_ENDED', live, jsonb_build_object('sessions', ended, 'why', why));
  END IF;
  RETURN cardinality(ended);
END $$;

-- Ends a session of the signed-in person; false when it is none of theirs. Another one than this wants a fresh factor or
-- a fresh sign-in (SK428): a stolen session must not lock its owner out.
CREATE OR REPLACE FUNCTION auth.end_own_session(wanted uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); meant auth.session;
BEGIN
  SELECT s.* INTO meant FROM auth.session s WHERE s.id = wanted;
  IF meant.id IS NULL OR auth.person_of(meant) IS DISTINCT FROM auth.person_of(live) THEN
    RETURN false;
  ELSIF wanted <> live.id AND NOT auth.is_fresh(live) THEN
    PERFORM auth.require_step_up(live, 'SESSIONS');
  END IF;
  UPDATE auth.session s SET ended_at = clock_timestamp() WHERE s.id = wanted AND s.ended_at IS NULL;
  IF FOUND THEN
    PERFORM audit.write_line(auth.person_of(live), 'SESSION_ENDED', live, jsonb_build_object('sessions', ARRAY[wanted], 'why', 'ASKED'));
  END IF;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION auth.my_sessions, auth.end_sessions_but, auth.end_own_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.my_sessions, auth.end_own_session TO desk;
