-- owner: auth_owner
-- Cancels an appointment whose citizen's book is locked: its place goes to whoever waits for it.
CREATE OR REPLACE FUNCTION care.call_off(citizen uuid, appointment uuid, canceller text, terms jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE known care.appointment;
BEGIN
  SELECT a.* INTO known FROM care.appointment a WHERE a.citizen_id = citizen AND a.id = appointment;
  PERFORM FROM care.slot s WHERE s.id = known.slot_id FOR UPDATE;
  UPDATE care.appointment a SET state = 'CANCELLED', cancelled_by = canceller, sequence = a.sequence + 1, changed_at = clock_timestamp()
   WHERE a.citizen_id = citizen AND a.id = appointment AND a.state = 'LIVE' RETURNING a.* INTO known;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM care.tell(known, 'APPOINTMENT_CANCELLED');
  IF known.slot_id IS NOT NULL THEN
    PERFORM care.give_back(known.slot_id);
    PERFORM care.offer_places(known.slot_id, terms);
  END IF;
END $$;

-- Outcome: CANCELLED (or it was before), or why not: OVER, TOO_LATE.
CREATE OR REPLACE FUNCTION care.cancel(appointment uuid, terms jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid := care.owner_of('care.appointment', appointment); known care.appointment;
BEGIN
  SELECT a.* INTO known FROM care.appointment a WHERE a.citizen_id = citizen AND a.id = appointment;
  IF known.state = 'LIVE' AND known.starts_at < clock_timestamp() THEN
    RETURN 'OVER';
  END IF;
  IF known.state = 'LIVE' AND known.slot_id IS NOT NULL AND known.starts_at
    < clock_timestamp() + make_interval(mins => (care.terms_of(known.facility_code, terms)).cancel_minutes) THEN
    RETURN 'TOO_LATE';
  END IF;
  PERFORM care.call_off(citizen, appointment, 'CITIZEN', terms);
  RETURN 'CANCELLED';
END $$;

REVOKE ALL ON FUNCTION care.call_off, care.cancel FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.cancel TO desk;
