-- owner: auth_owner
-- Counts a try of the signed-in person's factor, in a transaction of its own, before anybody judges it: a process that dies
-- refunds nothing. Five in a row lock it for 15 minutes, twenty in a day turn it off until a sign-in that began later.
-- Nothing: there is no factor. `wait_seconds`: it is locked. SK430: it is off. The time is the database's.
CREATE OR REPLACE FUNCTION auth.count_try(OUT id uuid, OUT sealed bytea, OUT seconds float8, OUT wait_seconds int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); known auth.factor; present timestamptz;
BEGIN
  SELECT f.* INTO known FROM auth.factor f WHERE f.citizen_id = auth.person_of(live) AND f.confirmed_at IS NOT NULL FOR UPDATE;
  present := clock_timestamp();
  IF known.id IS NULL THEN
    RETURN;
  ELSIF known.off_at IS NOT NULL THEN
    IF live.created_at < known.off_at OR NOT auth.is_fresh(live) THEN
      RAISE EXCEPTION 'the factor is off' USING ERRCODE = 'SK430';
    END IF;
    known.off_at := NULL; known.failures := 0; known.locked_until := NULL; known.day_failures := 0;
  ELSIF known.locked_until > present THEN
    wait_seconds := ceil(extract(epoch FROM known.locked_until - present));
    RETURN;
  ELSIF known.locked_until IS NOT NULL THEN
    known.failures := 0; known.locked_until := NULL;
  END IF;
  IF known.day_began_at < present - interval '1 day' THEN
    known.day_began_at := present; known.day_failures := 0;
  END IF;
  known.failures := known.failures + 1;
  known.day_failures := known.day_failures + 1;
  UPDATE auth.factor f SET (failures, day_failures, day_began_at, locked_until, off_at) = (known.failures, known.day_failures, known.day_began_at,
         CASE WHEN known.failures >= 5 THEN present + interval '15 minutes' END, CASE WHEN known.day_failures >= 20 THEN present END)
   WHERE f.id = known.id;
  id := known.id; sealed := known.sealed; seconds := extract(epoch FROM present);
END $$;

-- What a counted try was: a code of a step later than any before, or a recovery code that was not used yet, is a fresh
-- factor for one action of this session. Returns until when; nothing when it was neither. `step`, `recovery`: one of them.
-- For `porter` alone: whoever runs SQL at will as `desk`, with a session that was stolen, makes no factor fresh.
DROP FUNCTION IF EXISTS auth.settle_try(uuid, bigint, bytea, text, interval);
CREATE OR REPLACE FUNCTION auth.settle_try(token text, proof_key bytea, factor uuid, step bigint, recovery bytea, wanted text, life interval) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.live_session(token, proof_key); known auth.factor; good_until timestamptz := clock_timestamp() + life;
BEGIN
  UPDATE auth.recovery_code r SET used_at = clock_timestamp() FROM auth.factor f
   WHERE r.factor_id = factor AND r.hash = recovery AND r.used_at IS NULL AND f.id = factor AND f.citizen_id = auth.person_of(live);
  UPDATE auth.factor f SET last_step = greatest(f.last_step, step), failures = 0, locked_until = NULL, off_at = NULL, day_failures = f.day_failures - 1
   WHERE f.id = factor AND f.citizen_id = auth.person_of(live) AND (FOUND OR f.last_step < step);
  IF FOUND THEN
    INSERT INTO auth.step_up VALUES (live.id, wanted, good_until) ON CONFLICT (session_id, action) DO UPDATE SET until = excluded.until;
    RETURN good_until;
  END IF;
  SELECT f.* INTO known FROM auth.factor f WHERE f.id = factor;
  IF known.locked_until > clock_timestamp() THEN
    PERFORM notice.happened(known.citizen_id, 'FACTOR_LOCKED', jsonb_build_object('factor', factor), 'locked ' || factor || ' ' || known.locked_until);
    PERFORM audit.write_line(known.citizen_id, 'FACTOR_LOCKED', live, jsonb_build_object('factor', factor, 'off', known.off_at IS NOT NULL));
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION auth.count_try, auth.settle_try FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.count_try TO desk;
GRANT EXECUTE ON FUNCTION auth.settle_try TO porter;
