-- owner: auth_owner
-- What all changes of appointments are made of; their callers hold the locks: the book, then slots by id, then who waits.
-- A change is told once, if the appointment is still to come.
CREATE OR REPLACE FUNCTION care.announce(changed care.appointment, kind text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT notice.happened(changed.citizen_id, kind, jsonb_build_object('appointmentId', changed.id), 'appointment ' || changed.id || ' ' || changed.sequence)
   WHERE changed.starts_at > clock_timestamp()
$$;

-- The same, and the book's readers learn that it changed. Who waits for other places may be free for them now.
CREATE OR REPLACE FUNCTION care.tell(changed care.appointment, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE auth.book b SET version = b.version + 1, changed_at = clock_timestamp() WHERE b.citizen_id = changed.citizen_id;
  PERFORM care.announce(changed, kind);
  IF kind <> 'APPOINTMENT_BOOKED' AND EXISTS (SELECT FROM care.waitlist_entry e WHERE e.citizen_id = changed.citizen_id AND e.state = 'WAITING') THEN
    PERFORM jobs.enqueue('settle_slots', '{}');
  END IF;
END $$;

-- The lowest place of a slot that nobody has.
CREATE OR REPLACE FUNCTION care.free_place(wanted care.slot) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT min(n) FROM generate_series(1, wanted.capacity) n
   WHERE NOT EXISTS (SELECT FROM care.appointment a WHERE a.slot_id = wanted.id AND a.place = n AND a.state = 'LIVE')
$$;

-- Gives a place of a locked slot back. One that the plan has no room for any more, kept for who was booked there, goes with them.
CREATE OR REPLACE FUNCTION care.give_back(slot uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE care.slot s SET taken = s.taken - 1, capacity = least(s.capacity, greatest((c.plan->>'capacity')::int, s.taken - 1))
    FROM care.schedule c WHERE s.id = slot AND c.id = s.schedule_id
$$;

-- How many bookings at a facility a citizen has to come to, but for the one that is moved.
CREATE OR REPLACE FUNCTION care.booked_at(citizen uuid, facility text, moved uuid) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FROM care.appointment a WHERE a.citizen_id = citizen AND a.facility_code = facility AND a.state = 'LIVE'
     AND a.slot_id IS NOT NULL AND a.starts_at > clock_timestamp() AND a.id IS DISTINCT FROM moved
$$;

-- Why a slot cannot be booked by a citizen, or null. `moved`: the appointment that would leave its own place for it.
CREATE OR REPLACE FUNCTION care.objection(citizen uuid, wanted care.slot, rule care.booking_rule, moved uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN wanted.id IS NULL OR wanted.withdrawn_at IS NOT NULL
      OR NOT EXISTS (SELECT FROM directory.facility f WHERE f.code = wanted.facility_code AND f.suspended_at IS NULL) THEN 'GONE'
    WHEN wanted.starts_at < clock_timestamp() + make_interval(mins => rule.lead_minutes) THEN 'TOO_LATE'
    WHEN care.booked_at(citizen, wanted.facility_code, moved) >= rule.most_live THEN 'TOO_MANY' END
$$;

CREATE OR REPLACE FUNCTION care.classes_of(wanted care.slot) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT care.classes_in(wanted.department_code, wanted.is_sensitive)
$$;

REVOKE ALL ON FUNCTION care.announce, care.tell, care.free_place, care.give_back, care.booked_at, care.objection, care.classes_of FROM PUBLIC;
