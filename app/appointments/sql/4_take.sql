-- owner: auth_owner
-- Takes the place that an offer holds, in `taken` already.
CREATE OR REPLACE FUNCTION care.accept_offer(held care.waitlist_offer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE care.waitlist_entry e SET state = 'BOOKED' WHERE e.citizen_id = held.citizen_id AND e.id = held.entry_id;
  UPDATE care.waitlist_offer o SET state = 'ACCEPTED', answered_at = clock_timestamp() WHERE o.citizen_id = held.citizen_id AND o.id = held.id;
END $$;

-- Takes a place of a locked slot: the one that is held for the citizen, or a free one. False: there is none.
CREATE OR REPLACE FUNCTION care.take_place(citizen uuid, slot uuid, terms jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE held care.waitlist_offer;
BEGIN
  PERFORM care.end_offers(slot, NULL, 'EXPIRED', terms);
  SELECT o.* INTO held FROM care.waitlist_offer o WHERE o.citizen_id = citizen AND o.slot_id = slot AND o.state = 'OPEN';
  IF FOUND THEN
    PERFORM care.accept_offer(held);
  ELSE
    UPDATE care.slot s SET taken = s.taken + 1 WHERE s.id = slot AND s.taken < s.capacity;
  END IF;
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION care.accept_offer, care.take_place FROM PUBLIC;
