-- owner: auth_owner
-- The citizen answers: refuses, or approves what was asked or less. SK404: no such open request · SK422: more was given
-- than was asked for · SK409: frozen, or the asker may not practise there any more.
CREATE OR REPLACE FUNCTION auth.answer_request(request uuid, approved boolean, narrowed jsonb, access_minutes int, new_grant uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); one auth.share_request; stands record; given auth.book_grant; scope jsonb;
BEGIN
  SELECT r.* INTO one FROM auth.share_request r WHERE r.id = request AND r.answered_at IS NULL AND r.expires_at > clock_timestamp() FOR UPDATE;
  stands := auth.acting_for(live, coalesce(one.asked_of, gen_random_uuid()));  -- absent and another's look alike
  UPDATE auth.share_request r SET answered_at = clock_timestamp(), answer = CASE WHEN approved THEN 'APPROVED' ELSE 'REFUSED' END,
    grant_id = CASE WHEN approved THEN new_grant END, citizen_id = CASE WHEN approved THEN r.asked_of END WHERE r.id = request;
  IF approved IS NOT TRUE THEN
    PERFORM audit.write_line(one.asked_of, 'SHARE_REFUSED', live, jsonb_build_object('request', request));
    RETURN NULL;
  END IF;
  PERFORM auth.require_step_up(live, 'SHARE');
  PERFORM FROM auth.book b WHERE b.citizen_id = one.asked_of AND b.sharing_frozen_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'sharing is frozen' USING ERRCODE = 'SK409';
  ELSIF NOT auth.practises(one.practitioner_id, one.facility_code) THEN
    RAISE EXCEPTION 'who asked is not there now' USING ERRCODE = 'SK409';
  END IF;
  scope := auth.within_reach(CASE WHEN narrowed IS NULL THEN one.scope ELSE auth.scope_of(narrowed) END, live, one.asked_of);
  IF NOT auth.is_within(scope, one.scope) OR coalesce(access_minutes, one.access_minutes) NOT BETWEEN 5 AND one.access_minutes THEN
    RAISE EXCEPTION 'more than was asked for' USING ERRCODE = 'SK422';
  END IF;
  given := jsonb_populate_record(NULL::auth.book_grant, jsonb_build_object('id', new_grant, 'citizen_id', one.asked_of,
    'practitioner_id', one.practitioner_id, 'facility_code', one.facility_code, 'kind', 'REQUEST', 'purpose', one.purpose, 'scope', scope,
    'requested_by', live.citizen_id, 'session_id', live.id, 'representation', stands.representation, 'confirmed_at', clock_timestamp(),
    'starts_at', clock_timestamp(), 'ends_at', clock_timestamp() + make_interval(mins => coalesce(access_minutes, one.access_minutes))));
  PERFORM auth.note_consent(live, 'SHARING', new_grant, NULL);
  PERFORM auth.give(given, live, NULL, jsonb_build_object('request', request));
  RETURN new_grant;
END $$;
REVOKE ALL ON FUNCTION auth.answer_request FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.answer_request TO desk;
