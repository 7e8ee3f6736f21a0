-- owner: auth_owner
-- Holds each free place of a slot, which the caller has locked, for whoever waits longest, may take it and was not offered it yet. The end
-- of the hold is a row and a job in the queue, not a timer.
CREATE OR REPLACE FUNCTION care.offer_places(slot uuid, terms jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE freed care.slot; next care.waitlist_entry; rule care.booking_rule; offer uuid; present timestamptz := clock_timestamp(); until timestamptz;
BEGIN
  LOOP
    SELECT s.* INTO freed FROM care.slot s WHERE s.id = slot;
    rule := care.terms_of(freed.facility_code, terms);
    until := least(present + make_interval(mins => rule.hold_minutes), freed.starts_at - make_interval(mins => rule.lead_minutes));
    EXIT WHEN freed.withdrawn_at IS NOT NULL OR freed.taken >= freed.capacity OR until <= present
      OR (SELECT f.suspended_at IS NOT NULL FROM directory.facility f WHERE f.code = freed.facility_code);
    SELECT e.* INTO next FROM care.waitlist_entry e
     WHERE e.facility_code = freed.facility_code AND e.department_code = freed.department_code AND e.state = 'WAITING'
       AND (freed.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN e.from_on AND e.until_on
       AND NOT EXISTS (SELECT FROM care.waitlist_offer o WHERE o.citizen_id = e.citizen_id AND o.entry_id = e.id AND o.slot_id = slot)
       AND NOT EXISTS (SELECT FROM care.appointment a WHERE a.citizen_id = e.citizen_id AND a.state = 'LIVE' AND a.slot_id IS NOT NULL
                          AND a.starts_at < freed.ends_at AND a.ends_at > freed.starts_at)
       AND care.booked_at(e.citizen_id, e.facility_code, NULL) < rule.most_live
     ORDER BY e.joined_at, e.id LIMIT 1 FOR UPDATE;
    EXIT WHEN NOT FOUND;
    offer := uuidv7();
    UPDATE care.waitlist_entry e SET state = 'OFFERED' WHERE e.citizen_id = next.citizen_id AND e.id = next.id;
    INSERT INTO care.waitlist_offer VALUES (next.citizen_id, offer, next.id, slot, 'OPEN', present, until);
    UPDATE care.slot s SET taken = s.taken + 1 WHERE s.id = slot;
    PERFORM notice.happened(next.citizen_id, 'WAITLIST_OFFERED', jsonb_build_object('offerId', offer), 'offer ' || offer);
    PERFORM jobs.enqueue('move_waitlist', jsonb_build_object('slot_id', slot), until);
  END LOOP;
END $$;

-- Frees the places of a locked slot that were held until now or, of one offer, for whatever reason; who waits next is offered them.
-- Who goes on waiting is offered what else is free, by the worker: other slots are locked in their order only.
CREATE OR REPLACE FUNCTION care.end_offers(slot uuid, one uuid, outcome text, terms jsonb) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE ended care.waitlist_offer; count int := 0;
BEGIN
  FOR ended IN SELECT o.* FROM care.waitlist_offer o WHERE o.slot_id = slot AND o.state = 'OPEN'
      AND CASE WHEN one IS NULL THEN outcome = 'WITHDRAWN' OR o.held_until <= clock_timestamp() ELSE o.id = one END ORDER BY o.id LOOP
    UPDATE care.waitlist_entry e SET state = 'WAITING' WHERE e.citizen_id = ended.citizen_id AND e.id = ended.entry_id;
    UPDATE care.waitlist_offer o SET state = outcome, answered_at = clock_timestamp() WHERE o.citizen_id = ended.citizen_id AND o.id = ended.id;
    PERFORM care.give_back(slot);
    count := count + 1;
  END LOOP;
  IF count > 0 THEN
    PERFORM care.offer_places(slot, terms);
    PERFORM jobs.enqueue('settle_slots', '{}');
  END IF;
  RETURN count;
END $$;
REVOKE ALL ON FUNCTION care.offer_places, care.end_offers FROM PUBLIC;
