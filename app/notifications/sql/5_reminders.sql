-- owner: auth_owner
-- The reminders that fell due in the last `late`, so long before as `leads` say, and were not told. Each lead is a range of
-- the index of live appointments: what comes later is not looked at. Nothing is told that is late by more than half its lead.
CREATE OR REPLACE FUNCTION notice.due_reminders(leads interval[], late interval, present timestamptz)
RETURNS TABLE (citizen_id uuid, appointment_id uuid, starts_at timestamptz, dedupe_key text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.citizen_id, a.id, a.starts_at, k.dedupe_key FROM unnest(due_reminders.leads) l (lead)
    JOIN care.appointment a ON a.state = 'LIVE' AND a.starts_at <= due_reminders.present + l.lead
     AND a.starts_at > due_reminders.present + l.lead - least(l.lead / 2, due_reminders.late)
   CROSS JOIN LATERAL (SELECT notice.reminder_key(a.id, a.starts_at, l.lead)) k (dedupe_key)
   WHERE a.booked_at < a.starts_at - l.lead AND NOT (a.is_whole_day AND l.lead < interval '1 day')
     AND NOT EXISTS (SELECT FROM notice.event e WHERE e.citizen_id = a.citizen_id AND e.dedupe_key = k.dedupe_key)
$$;

-- Reminds of appointments that come. What is due is derived from the appointments as they are: one that was booked later,
-- moved or cancelled needs no message to be taken back. Each reminder is told once.
DROP FUNCTION IF EXISTS notice.remind(interval[]);
CREATE OR REPLACE FUNCTION notice.remind(leads interval[], late interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE due record; told int := 0;
BEGIN
  FOR due IN SELECT d.* FROM notice.due_reminders(leads, late, clock_timestamp()) d ORDER BY d.citizen_id, d.appointment_id LOOP
    PERFORM notice.happened(due.citizen_id, 'APPOINTMENT_DUE', jsonb_build_object('appointmentId', due.appointment_id, 'startsAt', due.starts_at), due.dedupe_key);
    told := told + 1;
  END LOOP;
  RETURN told;
END $$;

-- Has the sweep of every minute run next at its full minute; once, however many workers ask.
CREATE OR REPLACE FUNCTION notice.sweep_next() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jobs.enqueue('sweep', '{}', date_trunc('minute', clock_timestamp()) + interval '1 minute',
                      'sweep ' || date_trunc('minute', clock_timestamp()))
$$;
REVOKE ALL ON FUNCTION notice.due_reminders, notice.remind, notice.sweep_next FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.remind, notice.sweep_next TO worker;
