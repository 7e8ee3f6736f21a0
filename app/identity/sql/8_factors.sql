-- owner: auth_owner
-- The person behind a session, as a citizen or as a practitioner: a second factor is theirs, not their role's.
CREATE OR REPLACE FUNCTION auth.person_of(live auth.session) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(live.citizen_id, (SELECT p.citizen_id FROM auth.practitioner p WHERE p.id = live.practitioner_id))
$$;

-- Whether a session began by a proof of the identity provider within a quarter of an hour.
CREATE OR REPLACE FUNCTION auth.is_fresh(live auth.session) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT live.level >= 2 AND live.created_at > clock_timestamp() - interval '15 minutes'
     AND EXISTS (SELECT FROM auth.renewal n WHERE n.session_id = live.id)
$$;

-- Keeps a new factor of the signed-in person until it is confirmed. Who has one steps up by it first (SK428); a first one
-- wants a fresh sign-in (SK430; SK403 below level 2), so that a stolen session cannot add its own. A practitioner's person is known by it, too.
CREATE OR REPLACE FUNCTION auth.begin_factor(factor uuid, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE live auth.session := auth.my_session(); person uuid := auth.person_of(live);
BEGIN
  IF EXISTS (SELECT FROM auth.factor f WHERE f.citizen_id = person AND f.confirmed_at IS NOT NULL AND f.off_at IS NULL) THEN
    PERFORM auth.require_step_up(live, 'FACTORS');
  ELSIF person IS NULL OR NOT auth.is_fresh(live) AND NOT auth.is_stepped_up(live, 'FACTORS') THEN
    RAISE EXCEPTION 'a fresh sign-in is needed' USING ERRCODE = CASE WHEN live.level < 2 THEN 'SK403' ELSE 'SK430' END;
  END IF;
  DELETE FROM auth.factor f WHERE f.citizen_id = person AND f.confirmed_at IS NULL;
  INSERT INTO auth.factor (id, citizen_id, sealed, began_by, added_at, last_step, failures, day_failures, day_began_at)
  VALUES (factor, person, sealed, live.id, clock_timestamp(), 0, 0, 0, clock_timestamp());
END $$;

-- The factor that this session enrolled and did not confirm yet, with the database's time.
CREATE OR REPLACE FUNCTION auth.pending_factor(OUT id uuid, OUT sealed bytea, OUT seconds float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.id, f.sealed, extract(epoch FROM clock_timestamp())::float8 FROM auth.factor f
   WHERE f.began_by = (auth.my_session()).id AND f.confirmed_at IS NULL AND f.added_at > clock_timestamp() - interval '15 minutes'
$$;

-- Confirms it: it replaces the one before, whose recovery codes and other sessions end with it.
CREATE OR REPLACE FUNCTION auth.confirm_factor(factor uuid, step bigint, hashes bytea[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE live auth.session := auth.my_session(); person uuid := auth.person_of(live); replaced boolean;
BEGIN
  PERFORM FROM auth.factor f WHERE f.id = factor AND f.citizen_id = person AND f.began_by = live.id AND f.confirmed_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  DELETE FROM auth.factor f WHERE f.citizen_id = person AND f.confirmed_at IS NOT NULL;
  replaced := FOUND;
  UPDATE auth.factor f SET confirmed_at = clock_timestamp(), last_step = step WHERE f.id = factor;
  INSERT INTO auth.recovery_code (factor_id, hash) SELECT factor, h FROM unnest(hashes) h;
  IF replaced THEN
    PERFORM auth.end_sessions_but(live, 'FACTOR_CHANGED');
  END IF;
  PERFORM notice.happened(person, 'FACTOR_CHANGED', jsonb_build_object('factor', factor, 'replaced', replaced));
  PERFORM audit.write_line(person, 'FACTOR_CHANGED', live, jsonb_build_object('factor', factor, 'replaced', replaced));
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION auth.person_of, auth.is_fresh, auth.begin_factor, auth.pending_factor, auth.confirm_factor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.begin_factor, auth.pending_factor, auth.confirm_factor TO desk;
