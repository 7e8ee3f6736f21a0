-- owner: auth_owner
-- Books a place of a slot. Outcome: BOOKED, or why not: GONE, TOO_LATE, TOO_MANY, FULL, OVERLAP; then the caller must roll back.
CREATE OR REPLACE FUNCTION care.book(slot uuid, target uuid, appointment uuid, reason bytea, terms jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid := care.act_for(target); wanted care.slot; refusal text;
BEGIN
  SELECT s.* INTO wanted FROM care.slot s WHERE s.id = slot FOR UPDATE;
  refusal := care.objection(citizen, wanted, care.terms_of(wanted.facility_code, terms), NULL);
  IF refusal IS NOT NULL THEN
    RETURN refusal;
  END IF;
  IF NOT care.take_place(citizen, slot, terms) THEN
    RETURN 'FULL';
  END IF;
  RETURN CASE WHEN care.put(appointment, citizen, wanted, reason) THEN 'BOOKED' ELSE 'OVERLAP' END;
END $$;

-- Moves a booking to another slot of the same department. Outcome: MOVED, or why not: as above, or OVER, ELSEWHERE, NOT_BOOKED.
CREATE OR REPLACE FUNCTION care.reschedule(appointment uuid, slot uuid, terms jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid := care.owner_of('care.appointment', appointment); known care.appointment; wanted care.slot; rule care.booking_rule; refusal text; left_slot uuid;
BEGIN
  SELECT a.* INTO known FROM care.appointment a WHERE a.citizen_id = citizen AND a.id = appointment;
  PERFORM FROM care.slot s WHERE s.id IN (slot, known.slot_id) ORDER BY s.id FOR UPDATE;
  SELECT s.* INTO wanted FROM care.slot s WHERE s.id = slot;
  rule := care.terms_of(known.facility_code, terms);
  refusal := CASE
    WHEN known.state <> 'LIVE' OR known.slot_id IS NULL THEN 'NOT_BOOKED'
    WHEN known.starts_at < clock_timestamp() THEN 'OVER'
    WHEN known.starts_at < clock_timestamp() + make_interval(mins => rule.cancel_minutes) THEN 'TOO_LATE'
    WHEN (wanted.facility_code, wanted.department_code) <> (known.facility_code, known.department_code) THEN 'ELSEWHERE'
    ELSE care.objection(citizen, wanted, rule, appointment) END;
  IF refusal IS NOT NULL OR wanted.id = known.slot_id THEN
    RETURN coalesce(refusal, 'MOVED');
  END IF;
  IF NOT care.take_place(citizen, slot, terms) THEN
    RETURN 'FULL';
  END IF;
  left_slot := known.slot_id;
  PERFORM care.give_back(left_slot);
  UPDATE care.appointment a SET slot_id = slot, place = care.free_place(wanted), starts_at = wanted.starts_at, ends_at = wanted.ends_at,
    room = wanted.room, practitioner_name = wanted.practitioner_name, is_sensitive = wanted.is_sensitive, sensitive = care.classes_of(wanted), sequence = a.sequence + 1, changed_at = clock_timestamp()
   WHERE a.citizen_id = citizen AND a.id = appointment RETURNING a.* INTO known;
  PERFORM care.tell(known, 'APPOINTMENT_CHANGED');
  PERFORM care.offer_places(left_slot, terms);
  RETURN 'MOVED';
EXCEPTION WHEN exclusion_violation THEN
  RETURN 'OVERLAP';
END $$;
REVOKE ALL ON FUNCTION care.book, care.reschedule FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.book, care.reschedule TO desk;
