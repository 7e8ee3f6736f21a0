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
  SELECT g.* INTO found_grant FROM auth.book_grant g
   WHERE g.id = wanted AND g.practitioner_id = live.practitioner_id
     AND g.revoked_at IS NULL AND (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = g.citizen_id)
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
DECLARE granted record; done boolean;
BEGIN
  IF clock_timestamp() > now() + interval '5 seconds' OR current_setting('book.opened', true) = now()::text THEN
    RAISE EXCEPTION 'a stale transaction, or a book is open in it' USING ERRCODE = '25001';
  END IF;
  granted := auth.live_grant(token, proof_key, wanted);
  IF NOT auth.take_announcement(granted.citizen_id, announced, granted.practitioner, wanted, operation) THEN
    RAISE EXCEPTION 'the reading was not announced' USING ERRCODE = '25001';
  END IF;
  citizen_id := granted.citizen_id;
  sections := granted.scope->'sections';
  done := auth.decide(citizen_id, granted.scope, false, false, granted.hidden);
END $$;
REVOKE ALL ON FUNCTION auth.judge_grant, auth.open_granted_book FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.open_granted_book TO book_reader;
