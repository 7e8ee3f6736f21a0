-- owner: auth_owner
-- Whether an appointment that a facility told is the one that is booked here: of that department and minute, or day where no more is told.
CREATE OR REPLACE FUNCTION care.is_of_slot(told care.appointment, wanted care.slot) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT told.state = 'LIVE' AND told.slot_id IS NULL AND told.facility_code = wanted.facility_code
     AND CASE WHEN told.is_whole_day THEN told.department_code = wanted.department_code
           AND (told.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = (wanted.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
         ELSE told.starts_at = wanted.starts_at AND coalesce(told.department_code = wanted.department_code, true) END
$$;

-- Under which id a booking of a slot is kept: that of the appointment that the facility told already and the caller sees, or a
-- fresh one. Locks the citizen's book, so that booking it finds the same.
CREATE OR REPLACE FUNCTION care.appointment_for(slot uuid, target uuid, fresh uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid := care.act_for(target);
BEGIN
  RETURN coalesce((SELECT a.id FROM care.slot s JOIN care.appointment a ON a.citizen_id = citizen AND care.is_of_slot(a, s)
    WHERE s.id = slot AND care.may_see_appointment(citizen, a.id) ORDER BY a.is_whole_day, a.booked_at, a.id LIMIT 1), fresh);
END $$;

-- Puts a citizen into a slot, in whose `taken` the place is counted already. False: they are elsewhere at that time. An
-- appointment of theirs that the facility told already gets the place, where `appointment` is its id (care.appointment_for).
CREATE OR REPLACE FUNCTION care.put(appointment uuid, citizen uuid, wanted care.slot, reason bytea) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE made care.appointment;
BEGIN
  INSERT INTO care.appointment AS a (citizen_id, id, facility_code, origin, slot_id, place, department_code, room, practitioner_name, is_sensitive,
    sensitive, starts_at, ends_at, state, reason_sealed, booked_by, booked_at, changed_at)
  VALUES (citizen, appointment, wanted.facility_code, 'BOOKED', wanted.id, care.free_place(wanted), wanted.department_code, wanted.room,
    wanted.practitioner_name, wanted.is_sensitive, care.classes_of(wanted), wanted.starts_at, wanted.ends_at, 'LIVE', reason, auth.me(), clock_timestamp(), clock_timestamp())
  ON CONFLICT (citizen_id, id) DO UPDATE SET (origin, source_id, told_too, slot_id, place, department_code, room, practitioner_name, is_sensitive, sensitive,
      starts_at, ends_at, is_whole_day, reason_sealed, booked_by, booked_at, sequence, changed_at)
    = (excluded.origin, NULL, array_remove(a.source_id || a.told_too, NULL), excluded.slot_id, excluded.place, excluded.department_code, excluded.room,
      coalesce(excluded.practitioner_name, a.practitioner_name), a.is_sensitive OR excluded.is_sensitive, a.sensitive | excluded.sensitive,
      excluded.starts_at, excluded.ends_at, false, excluded.reason_sealed, excluded.booked_by, excluded.booked_at, a.sequence + 1, excluded.changed_at)
    WHERE care.is_of_slot(a, wanted)
  RETURNING a.* INTO STRICT made;
  PERFORM care.tell(made, 'APPOINTMENT_BOOKED');
  RETURN true;
EXCEPTION WHEN exclusion_violation THEN
  RETURN false;
END $$;
REVOKE ALL ON FUNCTION care.is_of_slot, care.appointment_for, care.put FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.appointment_for TO desk;
