-- owner: auth_owner
-- The session that a token stands for, judged by the database's clock.
-- SK401: no live session, another key proved than the one it is bound to (none for a bearer's), a closed citizen ·
-- 25001: a kept snapshot.
CREATE OR REPLACE FUNCTION auth.live_session(token text, proof_key bytea) RETURNS auth.session
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE found_session auth.session;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN  -- a kept snapshot does not see a session end
    RAISE EXCEPTION 'stale transaction' USING ERRCODE = '25001';
  END IF;
  -- Whether the person is there is a scalar: EXISTS is planned as a walk over all citizens while these are few, and stays so.
  SELECT s.* INTO found_session FROM auth.session s
   WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
     AND s.key_thumbprint IS NOT DISTINCT FROM proof_key
     AND (s.citizen_id IS NULL OR (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = s.citizen_id));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no live session' USING ERRCODE = 'SK401';
  END IF;
  IF found_session.practitioner_id IS NOT NULL AND NOT auth.practises(found_session.practitioner_id, found_session.via_facility_code) THEN
    RAISE EXCEPTION 'no live session of a practitioner' USING ERRCODE = 'SK401';
  END IF;
  RETURN found_session;
END $$;
REVOKE ALL ON FUNCTION auth.live_session FROM PUBLIC;

-- The facility behind a token of a hospital's system.
CREATE OR REPLACE FUNCTION auth.calling_facility(token text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (auth.live_session(token, NULL)).facility_code;
BEGIN
  PERFORM FROM directory.facility f WHERE f.code = facility AND f.suspended_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no live session of a facility' USING ERRCODE = 'SK401';
  END IF;
  RETURN facility;
END $$;
REVOKE ALL ON FUNCTION auth.calling_facility FROM PUBLIC;
