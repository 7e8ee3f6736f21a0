-- owner: auth_owner
-- Whether a code may be redeemed by a session at all: not one's own, not one whose maker signed out, is gone or may not
-- share that book any more, not while sharing is frozen.
CREATE OR REPLACE FUNCTION auth.may_redeem(code auth.share_code, live auth.session) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM auth.citizen c JOIN auth.book b ON b.citizen_id = c.id JOIN auth.session s ON s.id = code.session_id
     WHERE c.id = code.citizen_id AND c.closed_at IS NULL AND b.sharing_frozen_at IS NULL AND s.ended_at IS NULL)
    AND auth.may_share_for(code.made_by, code.citizen_id)
    AND NOT EXISTS (SELECT FROM auth.practitioner p WHERE p.id = live.practitioner_id AND p.citizen_id IN (code.citizen_id, code.made_by))
$$;

-- Redeems the code whose proof was checked, in one statement, and gives its grant; null when it was redeemed, cancelled
-- or has expired since. One code has one grant, however many ask at once.
CREATE OR REPLACE FUNCTION auth.redeem_code(try_key text, code uuid, proof text, facility text, purpose text, new_grant uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE live auth.session := auth.my_session(); redeemed auth.share_code; given auth.book_grant;
BEGIN
  UPDATE auth.share_code c SET redeemed_at = clock_timestamp(), redeemed_by = live.practitioner_id, verifier = NULL, grant_id = new_grant
   WHERE c.id = code AND c.verifier = proof AND c.redeemed_at IS NULL AND c.cancelled_at IS NULL AND c.redeemable_until > clock_timestamp()
     AND facility = coalesce(live.via_facility_code, facility) AND auth.practises(live.practitioner_id, facility) AND auth.may_redeem(c, live)
  RETURNING c.* INTO redeemed;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  DELETE FROM auth.share_try t WHERE t.practitioner_id = live.practitioner_id AND t.deed_key = try_key AND t.code_id = redeemed.id;
  given.id := new_grant; given.citizen_id := redeemed.citizen_id; given.practitioner_id := live.practitioner_id;
  given.facility_code := facility; given.kind := 'CODE'; given.purpose := redeemed.purpose; given.scope := redeemed.scope;
  given.requested_by := redeemed.made_by; given.session_id := redeemed.session_id; given.representation := redeemed.representation;
  given.confirmed_at := redeemed.created_at; given.starts_at := redeemed.redeemed_at;
  given.ends_at := redeemed.redeemed_at + make_interval(mins => redeemed.access_minutes);
  UPDATE auth.consent c SET about_id = new_grant WHERE c.about_id = redeemed.id AND c.withdrawn_at IS NULL;  -- it is of the grant now
  PERFORM auth.give(given, live, 'CODE_REDEEMED', jsonb_build_object('code', redeemed.id, 'declared', purpose));
  RETURN new_grant;
END $$;

-- Records a grant with the names that it was given under, its line and its event, in one transaction.
CREATE OR REPLACE FUNCTION auth.give(given auth.book_grant, live auth.session, event text, more jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE about jsonb := more || jsonb_build_object('grant', given.id, 'practitioner', given.practitioner_id, 'facility', given.facility_code);
BEGIN
  SELECT p.certificate, p.full_name INTO STRICT given.practitioner_certificate, given.practitioner_name
    FROM auth.practitioner p WHERE p.id = given.practitioner_id;
  SELECT c.full_name INTO STRICT given.citizen_name FROM auth.citizen c WHERE c.id = given.citizen_id;
  INSERT INTO auth.book_grant SELECT given.*;
  PERFORM audit.write_line(given.citizen_id, CASE event WHEN 'EMERGENCY_OPENED' THEN event ELSE 'GRANT_GIVEN' END, live,
    about || jsonb_build_object('kind', given.kind, 'purpose', given.purpose, 'scope', given.scope, 'starts_at', given.starts_at, 'ends_at', given.ends_at));
  IF event IS NOT NULL THEN
    PERFORM notice.happened(given.citizen_id, event, about);
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.may_redeem, auth.redeem_code, auth.give FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.redeem_code TO desk;
