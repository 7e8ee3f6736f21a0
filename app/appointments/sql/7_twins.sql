-- owner: auth_owner
-- One appointment may be told by several: a re-examination paper, the facility's own message, a booking here. Of one person, facility
-- and minute it stands once, and a booking stands for the day that its department told; `told_too` holds the other tellers, so that each may stop telling without the others.
-- Whether another row tells of what is sent already; if it does, it is noted there.
CREATE OR REPLACE FUNCTION care.is_told_elsewhere(citizen uuid, facility text, source text, kind text, sent care.appointment) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE twin care.appointment;
BEGIN
  UPDATE care.appointment a SET told_too = array_remove(a.told_too, sent.source_id)
   WHERE a.citizen_id = citizen AND a.facility_code = facility AND sent.source_id = ANY (a.told_too) AND a.starts_at <> sent.starts_at;
  SELECT a.* INTO twin FROM care.appointment a
   WHERE a.citizen_id = citizen AND a.facility_code = facility AND NOT a.is_whole_day AND CASE WHEN coalesce(sent.is_whole_day, false) THEN a.slot_id IS NOT NULL
       AND a.department_code = sent.department_code AND (a.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = (sent.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
     ELSE a.starts_at = sent.starts_at AND (a.origin <> kind OR coalesce(a.department_code = sent.department_code, true)) END
     AND (a.state = 'LIVE' OR a.cancelled_by = 'CITIZEN') AND (a.source_id IS NULL OR NOT starts_with(a.source_id, source || ' '))
   ORDER BY a.state = 'LIVE' DESC, a.slot_id IS NULL, a.booked_at, a.id LIMIT 1 FOR UPDATE;
  IF twin.id IS NULL THEN
    RETURN false;
  END IF;
  UPDATE care.appointment a SET told_too = CASE WHEN sent.source_id = ANY (a.told_too) THEN a.told_too ELSE a.told_too || sent.source_id END,
      practitioner_name = coalesce(a.practitioner_name, sent.practitioner_name), department_code = coalesce(a.department_code, sent.department_code),
      sensitive = a.sensitive | coalesce(sent.sensitive, 0), masked = a.masked OR coalesce(sent.masked, false)
   WHERE a.citizen_id = citizen AND a.id = twin.id;
  RETURN true;
END $$;

-- What a source does not tell any more, is not told by it: another teller keeps it. A facility that calls one off by a message of its own
-- calls it off, whatever its paper says; a booking is ended by who booked it, or by its slot.
CREATE OR REPLACE FUNCTION care.stop_telling(citizen uuid, facility text, source text, kind text, told jsonb) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE one care.appointment; kept text[]; changed int := 0;
BEGIN
  FOR one IN SELECT a.* FROM care.appointment a WHERE a.citizen_id = citizen AND a.facility_code = facility AND a.cancelled_by IS NULL AND EXISTS (
      SELECT FROM unnest(a.source_id || a.told_too) s (id) WHERE starts_with(s.id, source || ' ') AND NOT EXISTS (SELECT FROM jsonb_array_elements(told) t WHERE t->>'source_id' = s.id)) FOR UPDATE LOOP
    kept := ARRAY(SELECT s.id FROM unnest(one.source_id || one.told_too) WITH ORDINALITY s (id, n) WHERE s.id IS NOT NULL
      AND (NOT starts_with(s.id, source || ' ') OR EXISTS (SELECT FROM jsonb_array_elements(told) t WHERE t->>'source_id' = s.id)) ORDER BY s.n);
    IF one.slot_id IS NOT NULL THEN
      UPDATE care.appointment a SET told_too = kept WHERE a.citizen_id = citizen AND a.id = one.id;
      CONTINUE;
    ELSIF cardinality(kept) > 0 AND NOT (kind = 'FACILITY' AND told = '[]') THEN
      UPDATE care.appointment a SET source_id = kept[1], told_too = kept[2:] WHERE a.citizen_id = citizen AND a.id = one.id;
      CONTINUE;
    END IF;
    UPDATE care.appointment a SET state = 'CANCELLED', cancelled_by = 'FACILITY', sequence = a.sequence + 1, changed_at = clock_timestamp()
     WHERE a.citizen_id = citizen AND a.id = one.id RETURNING a.* INTO one;
    PERFORM care.announce(one, 'APPOINTMENT_CANCELLED');
    changed := changed + 1;
  END LOOP;
  RETURN changed;
END $$;
REVOKE ALL ON FUNCTION care.is_told_elsewhere, care.stop_telling FROM PUBLIC;
