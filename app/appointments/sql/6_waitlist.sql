-- owner: auth_owner
-- Lets a citizen wait for a place in a department; one that is free already is offered at once. False: they wait there already.
CREATE OR REPLACE FUNCTION care.join_waitlist(facility text, department text, first_on date, last_on date, target uuid, entry uuid, terms jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid := care.act_for(target); free uuid;
BEGIN
  PERFORM FROM directory.facility f WHERE f.code = facility AND f.suspended_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such facility' USING ERRCODE = 'SK404';
  END IF;
  UPDATE care.waitlist_entry e SET state = 'LEFT' WHERE e.citizen_id = citizen AND e.state = 'WAITING'
     AND e.until_on < (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
  INSERT INTO care.waitlist_entry VALUES (citizen, entry, facility, department, first_on, last_on, 'WAITING', auth.me(), clock_timestamp())
  ON CONFLICT (citizen_id, facility_code, department_code) WHERE state IN ('WAITING', 'OFFERED') DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  SELECT s.id INTO free FROM care.slot s WHERE s.facility_code = facility AND s.department_code = department AND s.withdrawn_at IS NULL
     AND s.starts_at >= greatest(first_on::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh', clock_timestamp() + make_interval(mins => (care.terms_of(facility, terms)).lead_minutes))
     AND s.starts_at < (last_on + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AND s.taken < s.capacity
     AND NOT EXISTS (SELECT FROM care.appointment a WHERE a.citizen_id = citizen AND a.state = 'LIVE' AND a.slot_id IS NOT NULL AND a.starts_at < s.ends_at AND a.ends_at > s.starts_at)
   ORDER BY s.starts_at, s.id LIMIT 1 FOR UPDATE;
  PERFORM care.offer_places(free, terms) WHERE free IS NOT NULL;
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION care.leave_waitlist(entry uuid, terms jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT care.stop_waiting(care.owner_of('care.waitlist_entry', entry), entry, terms)
$$;

-- Answers an offer while its place is held. Outcome: BOOKED, DECLINED, or why not: EXPIRED, TOO_MANY, OVERLAP, GONE, TOO_LATE.
CREATE OR REPLACE FUNCTION care.answer_offer(offer uuid, is_accepted boolean, appointment uuid, terms jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid := care.owner_of('care.waitlist_offer', offer); held care.waitlist_offer; wanted care.slot; refusal text;
BEGIN
  SELECT s.* INTO wanted FROM care.slot s JOIN care.waitlist_offer o ON o.slot_id = s.id WHERE o.citizen_id = citizen AND o.id = offer FOR UPDATE OF s;
  SELECT o.* INTO held FROM care.waitlist_offer o WHERE o.citizen_id = citizen AND o.id = offer;  -- as it is now that the slot is locked
  IF held.state <> 'OPEN' OR held.held_until <= clock_timestamp() THEN
    RETURN 'EXPIRED';
  END IF;
  IF NOT is_accepted THEN
    PERFORM care.end_offers(wanted.id, offer, 'DECLINED', terms);
    RETURN 'DECLINED';
  END IF;
  refusal := care.objection(citizen, wanted, care.terms_of(wanted.facility_code, terms), NULL);
  IF refusal IS NOT NULL THEN
    RETURN refusal;
  END IF;
  PERFORM care.accept_offer(held);
  RETURN CASE WHEN care.put(appointment, citizen, wanted, NULL) THEN 'BOOKED' ELSE 'OVERLAP' END;
END $$;
REVOKE ALL ON FUNCTION care.join_waitlist, care.leave_waitlist, care.answer_offer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.join_waitlist, care.leave_waitlist, care.answer_offer TO desk;
