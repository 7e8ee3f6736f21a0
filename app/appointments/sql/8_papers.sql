-- owner: auth_owner
-- Appointments that a facility tells by messages: all of one source, a visit or a FHIR Appointment, whose name begins the source_id of
-- each. One that was told before is moved, once; one that is not told any more is cancelled. What its citizen cancelled stays
-- so until it is moved. Only for a book that is open for filing. `told`: [{id, source_id, starts_at, ends_at, is_whole_day,
-- department_code, practitioner_name, is_sensitive, masked, sensitive}]. `is_new`: the source told of none before. Returns how many changed; the caller tells the book's readers.
DROP FUNCTION IF EXISTS care.file_appointments(uuid, text, text, text, jsonb);
CREATE OR REPLACE FUNCTION care.file_appointments(citizen uuid, facility text, source text, kind text, told jsonb, is_new boolean DEFAULT false) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE sent care.appointment; known care.appointment; changed int := 0;
BEGIN
  IF citizen <> ALL (auth.filing_citizens()) THEN
    RAISE EXCEPTION 'no book is open for filing' USING ERRCODE = '28000';
  END IF;
  IF NOT is_new THEN
    changed := care.stop_telling(citizen, facility, source, kind, told);
  END IF;
  FOR sent IN SELECT t.* FROM jsonb_populate_recordset(NULL::care.appointment, told) t LOOP
    IF NOT is_new THEN
      SELECT a.* INTO known FROM care.appointment a WHERE a.citizen_id = citizen AND a.facility_code = facility AND a.source_id = sent.source_id FOR UPDATE;
      UPDATE care.appointment a SET sensitive = coalesce(sent.sensitive, 0) WHERE a.citizen_id = citizen AND a.id = known.id AND a.sensitive <> coalesce(sent.sensitive, 0);
    END IF;
    CONTINUE WHEN known.id IS NOT NULL AND (known.starts_at, known.ends_at, known.is_whole_day, known.department_code) IS NOT DISTINCT FROM
      (sent.starts_at, sent.ends_at, coalesce(sent.is_whole_day, false), sent.department_code) AND coalesce(known.cancelled_by, 'CITIZEN') = 'CITIZEN';
    IF known.starts_at <> sent.starts_at AND known.told_too <> '{}' THEN  -- it moves away; the others still tell of that hour
      UPDATE care.appointment a SET source_id = a.told_too[1], told_too = a.told_too[2:] WHERE a.citizen_id = citizen AND a.id = known.id;
      known := NULL;
    END IF;
    IF coalesce(known.starts_at <> sent.starts_at, false) AND care.is_told_elsewhere(citizen, facility, source, kind, sent) THEN  -- it moves to where another stands
      UPDATE care.appointment a SET source_id = NULL, state = 'CANCELLED', cancelled_by = 'FACILITY', sequence = a.sequence + 1, changed_at = clock_timestamp()
       WHERE a.citizen_id = citizen AND a.id = known.id AND a.state = 'LIVE' RETURNING a.* INTO known;
      IF FOUND THEN
        PERFORM care.announce(known, 'APPOINTMENT_CANCELLED');
        changed := changed + 1;
      END IF;
      CONTINUE;
    END IF;
    CONTINUE WHEN known.id IS NULL AND care.is_told_elsewhere(citizen, facility, source, kind, sent);
    INSERT INTO care.appointment AS a (citizen_id, id, facility_code, origin, source_id, department_code, practitioner_name, is_sensitive,
      starts_at, ends_at, is_whole_day, masked, sensitive, state, booked_at, changed_at)
    VALUES (citizen, sent.id, facility, kind, sent.source_id, sent.department_code, sent.practitioner_name, coalesce(sent.is_sensitive, false),
      sent.starts_at, sent.ends_at, coalesce(sent.is_whole_day, false), coalesce(sent.masked, false),
      coalesce(sent.sensitive, 0), 'LIVE', clock_timestamp(), clock_timestamp())
    ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE SET (department_code, practitioner_name, is_sensitive, sensitive, starts_at, ends_at, is_whole_day)
      = (excluded.department_code, excluded.practitioner_name, excluded.is_sensitive, excluded.sensitive, excluded.starts_at, excluded.ends_at, excluded.is_whole_day),
      state = 'LIVE', cancelled_by = NULL, sequence = a.sequence + 1, changed_at = clock_timestamp()
    RETURNING a.* INTO sent;
    PERFORM care.announce(sent, CASE sent.sequence WHEN 0 THEN 'APPOINTMENT_BOOKED' ELSE 'APPOINTMENT_CHANGED' END);
    changed := changed + 1;
  END LOOP;
  RETURN changed;
END $$;
REVOKE ALL ON FUNCTION care.file_appointments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.file_appointments TO worker;
