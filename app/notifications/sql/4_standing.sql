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

REVOKE ALL ON FUNCTION notice.still_stands FROM PUBLIC, worker;
