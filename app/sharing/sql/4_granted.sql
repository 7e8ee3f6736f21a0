-- owner: auth_owner
-- What a grant opens. SK404: absent, another's, not begun, ended, revoked, frozen, or its doctor may not practise there
-- any more: all look alike. SK401: a facility's system, which is nobody.
CREATE OR REPLACE FUNCTION auth.judge_grant(live auth.session, wanted uuid) RETURNS auth.book_grant
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE found_grant auth.book_grant;
BEGIN
  IF live.facility_code IS NOT NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  END IF;
  IF live.practitioner_id IS NULL THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
  SELECT g.* INTO found_grant FROM auth.book_grant g JOIN auth.citizen c ON c.id = g.citizen_id
   WHERE g.id = wanted AND g.practitioner_id = live.practitioner_id AND g.revoked_at IS NULL AND c.closed_at IS NULL
     AND clock_timestamp() >= g.starts_at AND clock_timestamp() < g.ends_at
     AND g.facility_code = coalesce(live.via_facility_code, g.facility_code) AND auth.practises(g.practitioner_id, g.facility_code);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
  RETURN found_grant;
END $$;

-- Opens what a grant opens, for a reading that was announced: by this practitioner, for this grant and operation, within ten
-- seconds, in another transaction that was committed. One announcement opens once.
CREATE OR REPLACE FUNCTION auth.open_granted_book(token text, proof_key bytea, wanted uuid, announced bigint, operation text,
                                                  OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE live auth.session; granted auth.book_grant;
BEGIN
  PERFORM auth.refuse_stale();
  live := auth.live_session(token, proof_key);
  granted := auth.judge_grant(live, wanted);
  IF NOT audit.announced(granted.citizen_id, announced, live, operation, jsonb_build_object('grant', granted.id))
     OR NOT auth.spend_announcement(granted.citizen_id, announced) THEN
    RAISE EXCEPTION 'the reading was not announced' USING ERRCODE = '25001';
  END IF;
  citizen_id := granted.citizen_id;
  sections := (granted.scope->>'sections')::int;
  PERFORM auth.decide(citizen_id, granted.scope, false, false);
END $$;
REVOKE ALL ON FUNCTION auth.judge_grant, auth.open_granted_book FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.open_granted_book TO book_reader;
