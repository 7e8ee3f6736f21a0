-- owner: auth_owner
-- Whether a notice is still true: a cancelled appointment is not reminded of, an access that was ended is not about to end.
CREATE OR REPLACE FUNCTION notice.still_stands(told notice.notice) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF told.about_id <> told.citizen_id AND NOT told.citizen_id = ANY (notice.representatives(told.about_id)) THEN
    RETURN false;
  END IF;
  RETURN CASE told.kind
    WHEN 'APPOINTMENT_DUE' THEN EXISTS (SELECT FROM care.appointment a WHERE a.citizen_id = told.about_id AND a.state = 'LIVE'
      AND a.id::text = told.about->>'appointmentId' AND a.starts_at = (told.about->>'startsAt')::timestamptz AND a.starts_at > clock_timestamp())
    WHEN 'WAITLIST_OFFERED' THEN EXISTS (SELECT FROM care.waitlist_offer o WHERE o.citizen_id = told.about_id AND o.state = 'OPEN'
      AND o.id::text = told.about->>'offerId' AND o.held_until > clock_timestamp())
    WHEN 'GRANT_ENDING' THEN EXISTS (SELECT FROM auth.book_grant g WHERE g.citizen_id = told.about_id AND g.revoked_at IS NULL
      AND g.id::text = told.about->>'grant' AND g.ends_at > clock_timestamp())
    ELSE true END AND NOT EXISTS (SELECT FROM auth.citizen c WHERE c.id = told.citizen_id AND c.closed_at IS NOT NULL);
END $$;

-- Takes a notice in hand and returns the phones that it still has to reach; `wait_seconds` when another notice of the same
-- thread is on its way. No row: nothing is to be sent. What was too late for too long has failed.
CREATE OR REPLACE FUNCTION notice.take_push(wanted uuid, hold interval)
RETURNS TABLE (class text, thread text, target_id uuid, kind text, sealed bytea, language text, registered_at timestamptz, attempts int, wait_seconds int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE told notice.notice;
BEGIN
  SELECT n.* INTO told FROM notice.notice n WHERE n.id = wanted AND n.push_at IS NOT NULL AND n.read_at IS NULL FOR UPDATE;
  IF NOT FOUND OR NOT notice.still_stands(told) THEN
    RETURN;
  END IF;
  IF told.push_until <= clock_timestamp() THEN
    UPDATE notice.push p SET state = 'FAILED', settled_at = clock_timestamp() WHERE p.notice_id = wanted AND p.state = 'WAITING';
    RETURN;
  END IF;
  IF NOT pg_try_advisory_xact_lock(hashtextextended(told.citizen_id || ' ' || told.thread, 4)) OR EXISTS (SELECT FROM notice.notice o WHERE o.citizen_id = told.citizen_id AND o.thread = told.thread AND o.id <> wanted
      AND o.in_hand_until > clock_timestamp()) THEN
    RETURN QUERY SELECT told.class, told.thread, NULL::uuid, NULL, NULL::bytea, NULL, NULL::timestamptz, 0, 5;
    RETURN;
  END IF;
  UPDATE notice.notice n SET in_hand_until = clock_timestamp() + hold WHERE n.id = wanted;
  INSERT INTO notice.push SELECT wanted, t.id, 'WAITING', 0, NULL, clock_timestamp() FROM notice.live_targets(told.citizen_id) t
      ON CONFLICT DO NOTHING;
  RETURN QUERY SELECT told.class, told.thread, t.id, t.kind, t.sealed, t.language, t.registered_at, p.attempts::int, NULL::int
    FROM notice.push p JOIN notice.live_targets(told.citizen_id) t ON t.id = p.target_id
   WHERE p.notice_id = wanted AND p.state = 'WAITING';
END $$;

REVOKE ALL ON FUNCTION notice.still_stands, notice.take_push FROM PUBLIC, worker;
