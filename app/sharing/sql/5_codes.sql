-- owner: auth_owner
-- Makes a share code: the citizen's own request to open a part of their book, recorded with its purpose and scope.
-- SK409: sharing is frozen, three codes are live, or the code exists already · SK422: lengths that no code may have.
CREATE OR REPLACE FUNCTION auth.make_code(code uuid, target uuid, keyed bytea, proof text, has_pin boolean, why text, asked jsonb,
  redeemable_minutes int, access_minutes int, OUT redeemable_until timestamptz, OUT live_grants int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  live auth.session := auth.my_session();
  stands record := auth.acting_for(live, target);
  scope jsonb := auth.within_reach(auth.scope_of(asked), live, stands.citizen_id);
  present timestamptz := clock_timestamp();
BEGIN
  PERFORM auth.require_step_up(live, 'SHARE');
  IF redeemable_minutes NOT BETWEEN 1 AND 10080 OR access_minutes NOT BETWEEN 5 AND 525600 OR (redeemable_minutes > 60 AND NOT has_pin) THEN
    RAISE EXCEPTION 'no such code' USING ERRCODE = 'SK422';
  END IF;
  PERFORM FROM auth.book b WHERE b.citizen_id = stands.citizen_id AND b.sharing_frozen_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'sharing is frozen' USING ERRCODE = 'SK409';
  ELSIF (SELECT count(*) FROM auth.share_code c WHERE c.citizen_id = stands.citizen_id AND c.redeemed_at IS NULL
      AND c.cancelled_at IS NULL AND c.redeemable_until > present AND c.tries < 3) >= 3 THEN
    RAISE EXCEPTION 'three codes are live' USING ERRCODE = 'SK409';
  END IF;
  redeemable_until := present + make_interval(mins => redeemable_minutes);
  INSERT INTO auth.share_code (id, citizen_id, made_by, session_id, representation, lookup, verifier, has_pin, purpose, scope,
                               access_minutes, created_at, redeemable_until, tries)
  VALUES (code, stands.citizen_id, live.citizen_id, live.id, stands.representation, keyed, proof, has_pin, why, scope,
          access_minutes, present, redeemable_until, 0);
  PERFORM auth.note_consent(live, 'SHARING', code, NULL);
  PERFORM audit.write_line(stands.citizen_id, 'CODE_MADE', live, jsonb_build_object('code', code, 'purpose', why, 'scope', scope,
    'redeemable_until', redeemable_until, 'access_minutes', access_minutes, 'representation', stands.representation));
  SELECT count(*) INTO live_grants FROM auth.book_grant g WHERE g.citizen_id = stands.citizen_id AND g.revoked_at IS NULL AND g.ends_at > present;
EXCEPTION WHEN unique_violation THEN
  RAISE EXCEPTION 'that code exists' USING ERRCODE = 'SK409';
END $$;

-- Cancels a code. One that was redeemed in the meantime loses its grant: never both.
CREATE OR REPLACE FUNCTION auth.cancel_code(code uuid, OUT revoked_grant uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); found_code auth.share_code;
BEGIN
  SELECT c.* INTO found_code FROM auth.share_code c WHERE c.id = code FOR UPDATE;
  PERFORM auth.acting_for(live, coalesce(found_code.citizen_id, gen_random_uuid()));  -- absent and another's look alike
  IF found_code.grant_id IS NOT NULL THEN
    PERFORM auth.end_grant(found_code.grant_id, live, 'CODE_CANCELLED');
    revoked_grant := found_code.grant_id;
  ELSIF found_code.cancelled_at IS NULL THEN
    UPDATE auth.share_code c SET cancelled_at = clock_timestamp(), verifier = NULL WHERE c.id = code;
    PERFORM auth.consents_over(ARRAY[code], live);
    PERFORM audit.write_line(found_code.citizen_id, 'CODE_CANCELLED', live, jsonb_build_object('code', code));
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.make_code, auth.cancel_code FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.make_code, auth.cancel_code TO desk;
