-- owner: auth_owner
-- Begins a live subscription: one's own book, a dependant's, or what a grant opens to a practitioner. It is a row, so that
-- revoking the grant can end it and count it. Returns the present end of what can be heard: a moment as an id, the book's
-- version, and the events before that moment that are no news.
DROP FUNCTION IF EXISTS notice.listen(text, bytea, uuid, uuid, uuid);
CREATE OR REPLACE FUNCTION notice.listen(token text, proof_key bytea, subscription uuid, target uuid, wanted_grant uuid,
                                         OUT event uuid, OUT version bigint, OUT seen uuid[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.live_session(token, proof_key); citizen uuid := coalesce(target, live.citizen_id); ok record; present timestamptz := clock_timestamp();
BEGIN
  IF live.facility_code IS NOT NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  ELSIF wanted_grant IS NOT NULL OR live.practitioner_id IS NOT NULL THEN
    citizen := (auth.judge_grant(live, CASE WHEN target IS NULL THEN wanted_grant END)).citizen_id;
  ELSIF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  ELSIF citizen <> live.citizen_id THEN
    ok := auth.representation(live, citizen);
  END IF;
  DELETE FROM auth.live_subscription s WHERE s.kept_at < present - interval '10 minutes';  -- its process died
  INSERT INTO auth.live_subscription VALUES (subscription, live.id, wanted_grant, citizen, present, present);
  SELECT uuidv7(), b.version, array(SELECT e.id FROM notice.event e WHERE e.citizen_id = citizen AND e.happened_at > present - interval '30 seconds')
    INTO event, version, seen FROM auth.book b WHERE b.citizen_id = citizen;
END $$;

-- What one subscription may hear now: HEAR, or why it is over. ENDED: its grant, or its row · SIGNED_OUT: its session, or
-- the certificate behind it · GONE: the representation.
CREATE OR REPLACE FUNCTION notice.verdict(listening auth.live_subscription) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT CASE
    WHEN s.ended_at IS NOT NULL OR s.expires_at <= clock_timestamp() OR (s.practitioner_id IS NOT NULL AND NOT auth.practises(s.practitioner_id, s.via_facility_code))
      OR EXISTS (SELECT FROM auth.citizen c WHERE c.id = s.citizen_id AND c.closed_at IS NOT NULL) THEN 'SIGNED_OUT'
    WHEN listening.grant_id IS NOT NULL THEN CASE WHEN EXISTS (SELECT FROM auth.book_grant g WHERE g.id = listening.grant_id
      AND g.revoked_at IS NULL AND g.ends_at > clock_timestamp() AND auth.practises(g.practitioner_id, g.facility_code)
      AND EXISTS (SELECT FROM auth.citizen c WHERE c.id = g.citizen_id AND c.closed_at IS NULL)) THEN 'HEAR' ELSE 'ENDED' END
    WHEN s.citizen_id = listening.citizen_id OR s.citizen_id = ANY (notice.representatives(listening.citizen_id)) THEN 'HEAR'
    ELSE 'GONE' END FROM auth.session s WHERE s.id = listening.session_id), CASE WHEN listening.id IS NULL THEN 'ENDED' ELSE 'SIGNED_OUT' END)
$$;
REVOKE ALL ON FUNCTION notice.listen, notice.verdict FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.listen TO desk;
