-- owner: auth_owner
-- Whether an appointment says less than its slot does since a plan was published again.
CREATE OR REPLACE FUNCTION care.lags(known care.appointment, wanted care.slot) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT known.slot_id = wanted.id AND known.state = 'LIVE' AND known.starts_at > clock_timestamp()
     AND ((known.department_code, known.room, known.practitioner_name) IS DISTINCT FROM (wanted.department_code, wanted.room, wanted.practitioner_name)
          OR (wanted.is_sensitive AND NOT known.is_sensitive) OR care.classes_of(wanted) & ~known.sensitive <> 0)
$$;

-- Lets one appointment follow its slot, in one transaction: whoever is booked sees the new room and practitioner and is told; what
-- became sensitive is so for them too, and nobody is told of that. False when no slot is outdated.
CREATE OR REPLACE FUNCTION care.follow_slot() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE wanted care.slot; before care.appointment; following care.appointment;
BEGIN
  SELECT s.* INTO wanted FROM care.slot s WHERE s.is_outdated ORDER BY s.id LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  SELECT a.* INTO before FROM care.appointment a WHERE a.slot_id = wanted.id AND care.lags(a, wanted) ORDER BY a.place LIMIT 1;
  PERFORM FROM auth.book b WHERE b.citizen_id = before.citizen_id FOR UPDATE;
  SELECT s.* INTO wanted FROM care.slot s WHERE s.id = wanted.id FOR UPDATE;
  UPDATE care.appointment a SET department_code = wanted.department_code, room = wanted.room, practitioner_name = wanted.practitioner_name,
      is_sensitive = a.is_sensitive OR wanted.is_sensitive, sensitive = a.sensitive | care.classes_of(wanted), sequence = a.sequence + 1, changed_at = clock_timestamp()
   WHERE a.citizen_id = before.citizen_id AND a.id = before.id AND care.lags(a, wanted) RETURNING a.* INTO following;
  IF (following.department_code, following.room, following.practitioner_name) IS DISTINCT FROM (before.department_code, before.room, before.practitioner_name) THEN
    PERFORM care.tell(following, 'APPOINTMENT_CHANGED');
  ELSE
    UPDATE auth.book b SET version = b.version + 1, changed_at = clock_timestamp() WHERE b.citizen_id = following.citizen_id;
  END IF;
  UPDATE care.slot s SET is_outdated = false
   WHERE s.id = wanted.id AND NOT EXISTS (SELECT FROM care.appointment a WHERE a.slot_id = wanted.id AND care.lags(a, wanted));
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION care.lags, care.follow_slot FROM PUBLIC;
