-- owner: auth_owner
-- Publishes a facility's schedules with their slots (made by app/appointments/expansion.py), in place of what it
-- published of them before: slots that are not in the plan any more are withdrawn, and who was booked there is told by the
-- worker. One that is in it keeps its id and those who are booked; where its room or practitioner changed, they are told too. `terms`: the facility's own rules, or null: as before.
-- Returns [{code, slots, withdrawn}]. SK409: a practitioner would be at two places at once.
CREATE OR REPLACE FUNCTION care.publish_schedules(token text, arrived jsonb, terms jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := auth.calling_facility(token); one jsonb; told jsonb := '[]';
BEGIN
  IF terms IS NOT NULL THEN
    INSERT INTO care.booking_rule SELECT (jsonb_populate_record(NULL::care.booking_rule, terms || jsonb_build_object('facility_code', facility))).*
    ON CONFLICT (facility_code) DO UPDATE SET (lead_minutes, cancel_minutes, most_live, hold_minutes)
      = (excluded.lead_minutes, excluded.cancel_minutes, excluded.most_live, excluded.hold_minutes);
  END IF;
  FOR one IN SELECT e FROM jsonb_array_elements(arrived) e ORDER BY e->>'code' LOOP
    told := told || care.publish_schedule(facility, one);
  END LOOP;
  PERFORM jobs.enqueue('settle_slots', '{}');  -- always one more: the one that is at work may have passed these slots
  RETURN told;
EXCEPTION WHEN exclusion_violation THEN
  RAISE EXCEPTION 'a practitioner at two places at once' USING ERRCODE = 'SK409';
END $$;
REVOKE ALL ON FUNCTION care.publish_schedules FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.publish_schedules TO ingest;

CREATE OR REPLACE FUNCTION care.publish_schedule(facility text, arrived jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  sent care.schedule := jsonb_populate_record(NULL::care.schedule, arrived);
  planned care.slot := jsonb_populate_record(NULL::care.slot, arrived);
  present timestamptz := clock_timestamp();
  gone int; booked int;
BEGIN
  sent.facility_code := facility; sent.published_at := present;
  INSERT INTO care.schedule AS s SELECT sent.*
  ON CONFLICT (facility_code, code) DO UPDATE SET (department_code, room, practitioner_certificate, practitioner_name, is_sensitive, plan, published_at)
    = (excluded.department_code, excluded.room, excluded.practitioner_certificate, excluded.practitioner_name, excluded.is_sensitive, excluded.plan, present)
  RETURNING s.id INTO sent.id;
  PERFORM FROM care.slot s WHERE s.schedule_id = sent.id AND s.starts_at > present ORDER BY s.id FOR UPDATE;
  UPDATE care.slot s SET withdrawn_at = present WHERE s.schedule_id = sent.id AND s.starts_at > present AND s.withdrawn_at IS NULL
     AND NOT EXISTS (SELECT FROM jsonb_to_recordset(arrived->'slots') AS n(starts_at timestamptz, ends_at timestamptz)
                      WHERE n.starts_at = s.starts_at AND n.ends_at = s.ends_at);
  GET DIAGNOSTICS gone = ROW_COUNT;
  INSERT INTO care.slot AS s (id, schedule_id, facility_code, department_code, room, practitioner_name, practitioner_key, is_sensitive, starts_at, ends_at, capacity)
  SELECT n.id, sent.id, facility, sent.department_code, sent.room, sent.practitioner_name, md5(facility || '|' || sent.practitioner_certificate)::uuid,
    sent.is_sensitive, n.starts_at, n.ends_at, planned.capacity
    FROM jsonb_to_recordset(arrived->'slots') AS n(id uuid, starts_at timestamptz, ends_at timestamptz) WHERE n.starts_at > present
  ON CONFLICT (schedule_id, starts_at, ends_at) DO UPDATE SET (department_code, room, practitioner_name, practitioner_key, is_sensitive, withdrawn_at, capacity, is_outdated)
    = (excluded.department_code, excluded.room, excluded.practitioner_name, excluded.practitioner_key, excluded.is_sensitive, NULL, greatest(excluded.capacity, s.taken),
       s.is_outdated OR s.taken > 0 AND (s.department_code, s.room, s.practitioner_name, s.is_sensitive)
         IS DISTINCT FROM (excluded.department_code, excluded.room, excluded.practitioner_name, excluded.is_sensitive));
  GET DIAGNOSTICS booked = ROW_COUNT;
  RETURN jsonb_build_object('code', sent.code, 'slots', booked, 'withdrawn', gone);
END $$;
REVOKE ALL ON FUNCTION care.publish_schedule FROM PUBLIC;
