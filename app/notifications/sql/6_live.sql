-- owner: auth_owner
-- Begins a live subscription: one's own book, a dependant's, or what a grant opens to a practitioner. It is a row, so that
-- revoking the grant can end it and count it. Returns the present end of what can be heard: event id and book version.
CREATE OR REPLACE FUNCTION notice.listen(token text, proof_key bytea, subscription uuid, target uuid, wanted_grant uuid, OUT event uuid, OUT version bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.live_session(token, proof_key); citizen uuid := coalesce(target, live.citizen_id); ok record;
BEGIN
  IF live.facility_code IS NOT NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  ELSIF wanted_grant IS NOT NULL OR live.practitioner_id IS NOT NULL THEN
    SELECT g.citizen_id INTO citizen FROM auth.book_grant g WHERE g.id = wanted_grant AND g.practitioner_id = live.practitioner_id
       AND g.revoked_at IS NULL AND g.starts_at <= clock_timestamp() AND g.ends_at > clock_timestamp() AND target IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
    END IF;
  ELSIF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  ELSIF citizen <> live.citizen_id THEN
    ok := auth.representation(live, citizen);
  END IF;
  DELETE FROM auth.live_subscription s WHERE s.started_at < clock_timestamp() - interval '1 day';
  INSERT INTO auth.live_subscription VALUES (subscription, live.id, wanted_grant, citizen, clock_timestamp());
  SELECT uuidv7(), b.version INTO event, version FROM auth.book b WHERE b.citizen_id = citizen;
END $$;

-- What a subscription hears since then, in order. No row of kind ENDED is heard twice: it is the last. Of the citizen's own
-- notices a practitioner hears nothing, and of the book no more than that their access ended.
CREATE OR REPLACE FUNCTION notice.heard(token text, proof_key bytea, subscription uuid, since uuid, known bigint, seen uuid[])
RETURNS TABLE (kind text, subject text, at timestamptz, event uuid, version bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE live auth.session := auth.live_session(token, proof_key); listening auth.live_subscription; now_at bigint; ok record;
BEGIN
  SELECT s.* INTO listening FROM auth.live_subscription s WHERE s.id = subscription AND s.session_id = live.id;
  IF NOT FOUND OR (listening.grant_id IS NOT NULL AND NOT EXISTS (SELECT FROM auth.book_grant g WHERE g.id = listening.grant_id
      AND g.revoked_at IS NULL AND g.ends_at > clock_timestamp())) THEN
    RETURN QUERY SELECT 'ENDED', NULL::text, clock_timestamp(), since, known;
    RETURN;
  END IF;
  IF listening.grant_id IS NOT NULL THEN
    RETURN;
  END IF;
  IF listening.citizen_id <> live.citizen_id THEN
    ok := auth.representation(live, listening.citizen_id);
  END IF;
  SELECT b.version INTO now_at FROM auth.book b WHERE b.citizen_id = listening.citizen_id;
  RETURN QUERY SELECT k.kind, k.subject, e.happened_at, e.id, now_at FROM notice.event e
    CROSS JOIN LATERAL (SELECT CASE WHEN e.kind IN ('BOOK_OPENED', 'EMERGENCY_OPENED') THEN 'OPENED' WHEN e.kind LIKE 'APPOINTMENT%' THEN 'APPOINTMENT_CHANGED'
      WHEN e.kind LIKE 'GRANT%' OR e.kind = 'CODE_REDEEMED' THEN 'GRANT_CHANGED' END, coalesce(e.about->>'grant', e.about->>'appointmentId')) k (kind, subject)
   WHERE e.citizen_id = listening.citizen_id AND e.id > since AND NOT e.id = ANY (seen) AND k.kind IS NOT NULL ORDER BY e.id LIMIT 100;
  IF now_at > known THEN
    RETURN QUERY SELECT 'RECORDS_CHANGED', NULL::text, clock_timestamp(), NULL::uuid, now_at;
  END IF;
END $$;
REVOKE ALL ON FUNCTION notice.listen, notice.heard FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.listen, notice.heard TO desk;
