-- owner: auth_owner
-- What the worker may do with a message: take it once, conclude it once.
DO $$
BEGIN
  ALTER TABLE intake.message ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON intake.message;
  CREATE POLICY deciding ON intake.message TO auth_owner USING (true) WITH CHECK (true);
END $$;

-- Locks a message that is not concluded; no row when it is, or when another worker has it. (`status = 'received'` would say the
-- same, and a plan made while few messages wait would read all that wait, by their own index.)
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_proc p WHERE p.oid = to_regprocedure('intake.take_message(uuid)') AND pg_get_function_result(p.oid) NOT LIKE '%follows%') THEN
    DROP FUNCTION intake.take_message(uuid);
  END IF;
END $$;
CREATE OR REPLACE FUNCTION intake.take_message(message_id uuid)
RETURNS TABLE (facility_code text, format text, received_at timestamptz, body bytea, follows boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.facility_code, m.format, m.received_at, m.body, auth.follows(m.facility_code) FROM intake.message m
   WHERE m.id = message_id AND m.concluded_at IS NULL FOR UPDATE SKIP LOCKED
$$;

CREATE OR REPLACE FUNCTION intake.conclude_message(message_id uuid, status text, verdict jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE intake.message m SET status = conclude_message.status, verdict = conclude_message.verdict, concluded_at = clock_timestamp()
   WHERE m.id = message_id AND m.concluded_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the message is concluded already' USING ERRCODE = 'SK409';
  END IF;
END $$;

-- Takes up again a message that was quarantined or rejected, after a fix.
CREATE OR REPLACE FUNCTION intake.replay_message(message_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE taken_up intake.message;
BEGIN
  UPDATE intake.message m SET status = 'received', concluded_at = NULL
   WHERE m.id = message_id AND m.status IN ('quarantined', 'rejected', 'partly') RETURNING m.* INTO taken_up;
  IF taken_up.id IS NULL THEN
    RETURN false;
  END IF;
  PERFORM intake.enqueue_message(taken_up.id, taken_up.facility_code, taken_up.size_bytes);
  RETURN true;
END $$;

REVOKE ALL ON FUNCTION intake.take_message, intake.conclude_message, intake.replay_message FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.take_message, intake.conclude_message, intake.replay_message TO worker;
