-- owner: auth_owner
-- In whose turn a message is worked off. Facilities take turns: whoever has many messages waiting has the later ones stand
-- behind everybody's first. Large messages have a queue of their own, for they are read apart.
CREATE OR REPLACE FUNCTION intake.enqueue_message(message_id uuid, facility text, size_bytes int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jobs.enqueue(CASE WHEN size_bytes > 262144 THEN 'process_slow_message' ELSE 'process_message' END,
    jsonb_build_object('message_id', message_id, 'facility', facility),
    dedupe_key => 'message:' || message_id, priority => (SELECT -(count(*) / 8)::int FROM (
      SELECT FROM intake.message m WHERE m.facility_code = facility AND m.status = 'received' LIMIT 800) waiting))
$$;

-- Puts a message into the slow queue, to be read apart; `died` counts how often reading it has failed.
CREATE OR REPLACE FUNCTION intake.defer_message(message_id uuid, facility text, died int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jobs.enqueue('process_slow_message', jsonb_build_object('message_id', message_id, 'facility', facility, 'died', died),
    dedupe_key => 'slow:' || message_id)
$$;

-- Puts a message of the slow queue off. It is a job of its own, committed before the one in hand ends: should a worker die
-- between, there are two, and the second finds the message concluded.
CREATE OR REPLACE FUNCTION intake.put_off_message(message_id uuid, facility text, died int, seconds double precision) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jobs.enqueue('process_slow_message', jsonb_build_object('message_id', message_id, 'facility', facility, 'died', died),
    now() + make_interval(secs => seconds))
$$;

-- The bytes of a message that is not concluded; nobody else is kept from it meanwhile.
CREATE OR REPLACE FUNCTION intake.waiting_message(message_id uuid)
RETURNS TABLE (facility_code text, format text, received_at timestamptz, body bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.facility_code, m.format, m.received_at, m.body FROM intake.message m WHERE m.id = message_id AND m.status = 'received'
$$;
REVOKE ALL ON FUNCTION intake.enqueue_message, intake.defer_message, intake.put_off_message, intake.waiting_message FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.defer_message, intake.put_off_message, intake.waiting_message TO worker;
