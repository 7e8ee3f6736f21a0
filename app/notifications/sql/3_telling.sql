-- owner: auth_owner
-- Who represents a person today and sees something of their book.
CREATE OR REPLACE FUNCTION notice.representatives(person uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT DISTINCT r.representative_id FROM auth.representation r
    WHERE r.dependant_id = person AND r.representative_id IS NOT NULL AND r.ended_at IS NULL AND auth.extent_on(r, auth.today()) <> 'NONE')
$$;

-- Whether somebody who represents a person may be told of an event: of an appointment or an offered place when they see it
-- themselves, of an emergency always, of all else when they act in everything. A notice must not tell what is hidden.
CREATE OR REPLACE FUNCTION notice.may_be_told(viewer uuid, event notice.event) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(CASE
    WHEN event.about ? 'appointmentId' THEN (SELECT care.is_shown(viewer, a.citizen_id, a.masked, a.sensitive) FROM care.appointment a
      WHERE a.citizen_id = event.citizen_id AND a.id::text = event.about->>'appointmentId')
    WHEN event.about ? 'offerId' THEN (SELECT care.is_shown(viewer, o.citizen_id, false, care.classes_of(s)) FROM care.waitlist_offer o
      JOIN care.slot s ON s.id = o.slot_id WHERE o.citizen_id = event.citizen_id AND o.id::text = event.about->>'offerId')
    ELSE event.kind = 'EMERGENCY_OPENED' OR (auth.representation(
      jsonb_populate_record(NULL::auth.session, jsonb_build_object('citizen_id', viewer)), event.citizen_id)).may_share END, false)
$$;

-- Events and the people who are told of each: the one whom it is about and, where that is due, who represents them today.
CREATE OR REPLACE FUNCTION notice.events_to_tell(wanted uuid[])
RETURNS TABLE (event_id uuid, kind text, about jsonb, happened_at timestamptz, about_id uuid, person uuid, facility text, starts_at timestamptz,
               muted text[], is_quiet boolean, quiet_from time, quiet_until time)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT e.id, e.kind, e.about, e.happened_at, e.citizen_id, p.person, f.name, CASE WHEN NOT a.is_whole_day THEN a.starts_at END,
         coalesce(w.muted, '{}'), coalesce(w.is_quiet, true), coalesce(w.quiet_from, '22:00'), coalesce(w.quiet_until, '06:00')
    FROM notice.event e
    CROSS JOIN LATERAL (SELECT e.citizen_id AS person UNION SELECT r FROM unnest(notice.representatives(e.citizen_id)) r WHERE notice.may_be_told(r, e)) p
    LEFT JOIN notice.preference w ON w.citizen_id = p.person
    LEFT JOIN care.appointment a ON a.citizen_id = e.citizen_id AND a.id::text = e.about->>'appointmentId'
    LEFT JOIN directory.facility f ON f.code = coalesce(e.about->>'facility', CASE WHEN NOT a.is_sensitive THEN a.facility_code END)
   WHERE e.id = ANY (wanted)
$$;
DROP FUNCTION IF EXISTS notice.event_to_tell(uuid);
REVOKE ALL ON FUNCTION notice.may_be_told, notice.events_to_tell, notice.representatives FROM PUBLIC, worker;
GRANT EXECUTE ON FUNCTION notice.events_to_tell TO worker;
