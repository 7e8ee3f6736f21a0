-- owner: auth_owner
-- A practitioner asks the person who has a number for a part of their book. Whether anybody has it, the answer does not
-- tell: a request to nobody is kept like any other, and stays without an answer.
CREATE OR REPLACE FUNCTION auth.ask_share(request uuid, keyed bytea, facility text, why text, asked jsonb, access_minutes int, OUT wait_seconds int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); scope jsonb := auth.scope_of(asked); one auth.share_request; present timestamptz := clock_timestamp();
BEGIN
  IF live.practitioner_id IS NULL OR facility <> coalesce(live.via_facility_code, facility) OR NOT auth.practises(live.practitioner_id, facility) THEN
    RAISE EXCEPTION 'not practising there' USING ERRCODE = 'SK404';
  END IF;
  IF access_minutes NOT BETWEEN 5 AND 525600 OR scope->'records' <> 'null' THEN
    RAISE EXCEPTION 'no such request' USING ERRCODE = 'SK422';
  END IF;
  PERFORM FROM auth.practitioner p WHERE p.id = live.practitioner_id FOR NO KEY UPDATE;  -- in turn; any login could hold an advisory lock
  SELECT ceil(extract(epoch FROM r.asked_at + interval '1 day' - present)) INTO wait_seconds FROM auth.share_request r
   WHERE r.practitioner_id = live.practitioner_id AND r.asked_at > present - interval '1 day' ORDER BY r.asked_at DESC OFFSET 29 LIMIT 1;
  IF wait_seconds IS NOT NULL THEN
    PERFORM auth.raise_alarm('MANY_REQUESTS', live.practitioner_id::text);
    RETURN;
  END IF;
  SELECT i.citizen_id INTO one.asked_of FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id JOIN auth.book b ON b.citizen_id = c.id
   WHERE i.kind = 'PERSONAL_ID' AND i.lookup = keyed AND i.valid_until IS NULL AND c.closed_at IS NULL AND b.sharing_frozen_at IS NULL;
  SELECT p.certificate, p.full_name INTO one.practitioner_certificate, one.practitioner_name FROM auth.practitioner p WHERE p.id = live.practitioner_id;
  INSERT INTO auth.share_request VALUES (request, NULL, live.practitioner_id, one.practitioner_certificate, one.practitioner_name,
    facility, why, scope, access_minutes, present, present + interval '3 days', NULL, NULL, NULL, one.asked_of);
  IF one.asked_of IS NOT NULL THEN
    PERFORM audit.write_line(one.asked_of, 'SHARE_REQUESTED', live, jsonb_build_object('request', request, 'facility', facility, 'purpose', why, 'scope', scope));
    PERFORM notice.happened(one.asked_of, 'SHARE_REQUESTED', jsonb_build_object('request', request, 'practitioner', live.practitioner_id, 'facility', facility));
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.ask_share FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.ask_share TO desk;
