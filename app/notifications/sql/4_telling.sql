-- owner: auth_owner
-- Takes the oldest events that wait to be told, for the transaction that tells them: what is rolled back waits again.
CREATE OR REPLACE FUNCTION notice.take_events(most int) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE taken uuid[] := ARRAY(SELECT e.id FROM notice.event e WHERE e.is_waiting ORDER BY e.id LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
  UPDATE notice.event e SET is_waiting = false WHERE e.id = ANY (taken);
  RETURN taken;
END $$;

-- Has each of them told alone, by the queue, which tries again and keeps what cannot be told: one must not stop the others.
CREATE OR REPLACE FUNCTION notice.tell_apart(most int) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(jobs.enqueue('tell', jsonb_build_object('event_id', e.id))) FROM unnest(notice.take_events(most)) e (id)
$$;

-- Keeps the notices of events, each once. An older push of the same thread that has not gone out yet is not sent any more: two
-- notices of one thing are one.
CREATE OR REPLACE FUNCTION notice.tell(notices jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE told uuid[];
BEGIN
  WITH kept AS (INSERT INTO notice.notice SELECT n.* FROM jsonb_populate_recordset(NULL::notice.notice, notices) n
    ON CONFLICT (event_id, citizen_id) DO NOTHING RETURNING id)
  SELECT array_agg(k.id) INTO told FROM kept k;
  UPDATE notice.notice o SET push_at = NULL, try_at = NULL FROM notice.notice n
   WHERE n.id = ANY (told) AND o.citizen_id = n.citizen_id AND o.thread = n.thread AND o.push_at IS NOT NULL
     AND (o.happened_at, o.id) < (n.happened_at, n.id) AND NOT EXISTS (SELECT FROM notice.push p WHERE p.notice_id = o.id);
  RETURN coalesce(cardinality(told), 0);
END $$;
REVOKE ALL ON FUNCTION notice.take_events, notice.tell_apart, notice.tell FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.take_events, notice.tell_apart, notice.tell TO worker;
