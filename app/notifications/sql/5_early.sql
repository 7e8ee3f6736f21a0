-- owner: auth_owner
-- The next quiet hours that begin after a moment, of who has them from and until these times of the day. Source: quiet.py.
CREATE OR REPLACE FUNCTION notice.next_quiet(present timestamptz, quiet_from time, quiet_until time) RETURNS tstzrange
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT tstzrange(q.begins AT TIME ZONE 'Asia/Ho_Chi_Minh', (q.begins::date + quiet_until + CASE WHEN quiet_until > quiet_from
           THEN interval '0' ELSE interval '1 day' END) AT TIME ZONE 'Asia/Ho_Chi_Minh')
    FROM (SELECT l.at::date + quiet_from + CASE WHEN l.at::time < quiet_from THEN interval '0' ELSE interval '1 day' END AS begins
            FROM (SELECT present AT TIME ZONE 'Asia/Ho_Chi_Minh' AS at) l) q
$$;

-- By which a reminder is known: it is told once, early or in time.
CREATE OR REPLACE FUNCTION notice.reminder_key(appointment uuid, starts_at timestamptz, lead interval) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(' ', 'due', appointment, extract(epoch FROM starts_at), extract(epoch FROM lead))
$$;

-- The reminders that quiet hours beginning within the hour would hold back for more than half their lead, so that nobody would be
-- reminded any more (`due_reminders`). Of the usual hours the appointments of a night are looked at, which are few; of others the
-- people who chose them.
CREATE OR REPLACE FUNCTION notice.early_reminders(leads interval[], present timestamptz)
RETURNS TABLE (citizen_id uuid, appointment_id uuid, starts_at timestamptz, dedupe_key text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH usual AS MATERIALIZED (
    SELECT n.quiet FROM (SELECT notice.next_quiet(early_reminders.present, '22:00', '06:00') AS quiet) n
     WHERE lower(n.quiet) <= early_reminders.present + interval '1 hour'),
  chosen AS MATERIALIZED (
    SELECT w.citizen_id, notice.next_quiet(early_reminders.present, w.quiet_from, w.quiet_until) AS quiet FROM notice.preference w
     WHERE w.is_quiet AND w.quiet_from <> w.quiet_until AND (w.quiet_from, w.quiet_until) <> ('22:00', '06:00')
       AND w.quiet_from - (early_reminders.present AT TIME ZONE 'Asia/Ho_Chi_Minh')::time + CASE
           WHEN w.quiet_from < (early_reminders.present AT TIME ZONE 'Asia/Ho_Chi_Minh')::time THEN interval '1 day' ELSE '0' END <= interval '1 hour'),
  held AS (
    SELECT a.*, l.lead, u.quiet FROM usual u, unnest(early_reminders.leads) l (lead), care.appointment a
     WHERE a.state = 'LIVE' AND a.starts_at >= lower(u.quiet) + l.lead AND a.starts_at < upper(u.quiet) + l.lead / 2
       AND coalesce((SELECT w.is_quiet AND (w.quiet_from, w.quiet_until) = ('22:00', '06:00')
                       FROM notice.preference w WHERE w.citizen_id = a.citizen_id), true)
    UNION ALL
    SELECT a.*, c.lead, c.quiet FROM (SELECT o.*, l.lead FROM chosen o, unnest(early_reminders.leads) l (lead)) c, LATERAL (
      SELECT b.* FROM care.appointment b WHERE b.citizen_id = c.citizen_id AND b.state = 'LIVE'
         AND b.starts_at >= lower(c.quiet) + c.lead AND b.starts_at < upper(c.quiet) + c.lead / 2 OFFSET 0) a)  -- each by its index
  SELECT h.citizen_id, h.id, h.starts_at, k.dedupe_key FROM held h
   CROSS JOIN LATERAL (SELECT notice.reminder_key(h.id, h.starts_at, h.lead)) k (dedupe_key)
   WHERE h.booked_at < lower(h.quiet) - interval '1 hour' AND NOT (h.is_whole_day AND h.lead < interval '1 day')
     AND NOT EXISTS (SELECT FROM notice.event e WHERE e.citizen_id = h.citizen_id AND e.dedupe_key = k.dedupe_key)
$$;

-- Reminds early of what quiet hours would swallow; returns how many reminders are new.
CREATE OR REPLACE FUNCTION notice.remind_early(leads interval[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE due record; told int := 0;
BEGIN
  FOR due IN SELECT e.* FROM notice.early_reminders(leads, clock_timestamp()) e ORDER BY e.citizen_id, e.appointment_id LOOP
    PERFORM notice.happened(due.citizen_id, 'APPOINTMENT_DUE', jsonb_build_object('appointmentId', due.appointment_id, 'startsAt', due.starts_at), due.dedupe_key);
    told := told + 1;
  END LOOP;
  RETURN told;
END $$;
REVOKE ALL ON FUNCTION notice.next_quiet, notice.reminder_key, notice.early_reminders, notice.remind_early FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.remind_early TO worker;
