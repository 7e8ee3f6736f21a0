-- owner: auth_owner
-- Reminds of appointments that come, so long before as `leads` say. What is due is derived from the appointments as they
-- are: one that was booked later, moved or cancelled needs no message to be taken back. Each reminder is told once, and
-- not any more when it is late by more than half of its lead or 12 hours.
CREATE OR REPLACE FUNCTION notice.remind(leads interval[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE due record; told int := 0; present timestamptz := clock_timestamp();
BEGIN
  FOR due IN SELECT a.citizen_id, a.id, a.starts_at, l.lead FROM care.appointment a CROSS JOIN unnest(leads) l (lead)
      WHERE a.state = 'LIVE' AND a.starts_at > present AND a.starts_at <= present + (SELECT max(m) FROM unnest(leads) m)
        AND a.starts_at - l.lead <= present AND a.starts_at - l.lead > present - least(l.lead / 2, interval '12 hours')
        AND a.booked_at < a.starts_at - l.lead AND NOT (a.is_whole_day AND l.lead < interval '1 day')
        AND NOT EXISTS (SELECT FROM notice.event e WHERE e.citizen_id = a.citizen_id
          AND e.dedupe_key = concat_ws(' ', 'due', a.id, extract(epoch FROM a.starts_at), extract(epoch FROM l.lead))) LOOP
    PERFORM notice.happened(due.citizen_id, 'APPOINTMENT_DUE', jsonb_build_object('appointmentId', due.id, 'startsAt', due.starts_at),
      concat_ws(' ', 'due', due.id, extract(epoch FROM due.starts_at), extract(epoch FROM due.lead)));
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
REVOKE ALL ON FUNCTION notice.remind, notice.sweep_next FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.remind, notice.sweep_next TO worker;
