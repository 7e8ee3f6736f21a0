-- owner: auth_owner
-- Ends the holds of one slot that are over and offers its free places to whoever waits next. Run when a hold ends, by the queue.
CREATE OR REPLACE FUNCTION care.move_waitlist(slot uuid, terms jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  PERFORM FROM care.slot s WHERE s.id = slot FOR UPDATE;
  PERFORM care.end_offers(slot, NULL, 'EXPIRED', terms);
  PERFORM care.offer_places(slot, terms);
END $$;

-- The next slot, after another, whose hold is over or that has places for which somebody waits: what a new plan brings.
CREATE OR REPLACE FUNCTION care.next_slot_to_move(after uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT min(f.slot_id::text)::uuid FROM (
    SELECT o.slot_id FROM care.waitlist_offer o WHERE o.state = 'OPEN' AND o.held_until <= clock_timestamp()
    UNION
    SELECT s.id FROM care.waitlist_entry e JOIN care.slot s
        ON s.facility_code = e.facility_code AND s.department_code = e.department_code AND s.withdrawn_at IS NULL AND s.taken < s.capacity
       AND s.starts_at > clock_timestamp() AND (s.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN e.from_on AND e.until_on
     WHERE e.state = 'WAITING' AND NOT EXISTS (SELECT FROM care.waitlist_offer o WHERE o.citizen_id = e.citizen_id AND o.entry_id = e.id AND o.slot_id = s.id)
  ) f WHERE after IS NULL OR f.slot_id > after
$$;
-- One step of what a facility's new plan leaves to do, in one transaction: who is booked in a withdrawn slot is cancelled and
-- told, who is booked in one that changed follows it. False when nothing is left.
CREATE OR REPLACE FUNCTION care.settle_slot(terms jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE gone uuid; citizen uuid; booked uuid;
BEGIN
  SELECT s.id INTO gone FROM care.slot s WHERE s.withdrawn_at IS NOT NULL AND s.taken > 0 ORDER BY s.id LIMIT 1;
  IF gone IS NULL THEN
    RETURN care.follow_slot();
  END IF;
  SELECT a.citizen_id, a.id INTO citizen, booked FROM care.appointment a WHERE a.slot_id = gone AND a.state = 'LIVE' ORDER BY a.place LIMIT 1;
  PERFORM FROM auth.book b WHERE b.citizen_id = citizen FOR UPDATE;
  PERFORM FROM care.slot s WHERE s.id = gone AND s.withdrawn_at IS NOT NULL FOR UPDATE;
  IF FOUND THEN
    PERFORM care.call_off(citizen, booked, 'FACILITY', terms) FROM care.appointment a  -- if it is there still, now that it is locked
     WHERE a.citizen_id = citizen AND a.id = booked AND a.slot_id = gone;
    PERFORM care.end_offers(gone, NULL, 'WITHDRAWN', terms);
  END IF;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION care.move_waitlist, care.next_slot_to_move, care.settle_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.move_waitlist, care.next_slot_to_move, care.settle_slot TO worker;
