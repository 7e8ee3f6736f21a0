-- owner: auth_owner
-- Ends one's waiting, whose citizen's book is locked: a place that is held for them goes to the next.
CREATE OR REPLACE FUNCTION care.stop_waiting(citizen uuid, entry uuid, terms jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE held care.waitlist_offer;
BEGIN
  SELECT o.* INTO held FROM care.waitlist_offer o WHERE o.citizen_id = citizen AND o.entry_id = entry AND o.state = 'OPEN';
  PERFORM FROM care.slot s WHERE s.id = held.slot_id FOR UPDATE;
  PERFORM care.end_offers(held.slot_id, held.id, 'DECLINED', terms) WHERE held.id IS NOT NULL;
  UPDATE care.waitlist_entry e SET state = 'LEFT' WHERE e.citizen_id = citizen AND e.id = entry AND e.state = 'WAITING';
END $$;

-- Calls off whatever a citizen was to come to and waits for, as their account is closed. First the waiting: a place that they
-- leave is not offered to themselves. For the service door, as `auth_owner`.
CREATE OR REPLACE FUNCTION care.end_care(citizen uuid, terms jsonb, OUT appointments int, OUT entries int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE waited uuid[]; to_come uuid[]; one uuid;
BEGIN
  PERFORM FROM auth.book b WHERE b.citizen_id = citizen FOR UPDATE;
  waited := ARRAY(SELECT e.id FROM care.waitlist_entry e WHERE e.citizen_id = citizen AND e.state IN ('WAITING', 'OFFERED') ORDER BY e.id);
  FOREACH one IN ARRAY waited LOOP
    PERFORM care.stop_waiting(citizen, one, terms);
  END LOOP;
  to_come := ARRAY(SELECT a.id FROM care.appointment a WHERE a.citizen_id = citizen AND a.state = 'LIVE' AND a.starts_at > clock_timestamp() ORDER BY a.slot_id);
  FOREACH one IN ARRAY to_come LOOP
    PERFORM care.call_off(citizen, one, 'CITIZEN', terms);
  END LOOP;
  entries := cardinality(waited); appointments := cardinality(to_come);
END $$;
REVOKE ALL ON FUNCTION care.stop_waiting, care.end_care FROM PUBLIC;
