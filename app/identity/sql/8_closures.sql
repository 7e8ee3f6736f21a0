-- owner: auth_owner
-- The service door closes the account of somebody who has died, or who asked for it, and opens it again after a mistake.
-- All their sessions end, in every role; every judgement asks for `closed_at`, so that nothing of theirs opens again.
DO $$
BEGIN
  ALTER TABLE auth.closure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON auth.closure;
  CREATE POLICY deciding ON auth.closure TO auth_owner USING (true) WITH CHECK (true);
END $$;

-- SK404: no such citizen · SK409: closed already. Returns how many sessions ended.
CREATE OR REPLACE FUNCTION auth.close_citizen(told jsonb) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE c auth.closure := jsonb_populate_record(NULL::auth.closure, told); ended uuid[]; known auth.citizen;
BEGIN
  SELECT o.* INTO known FROM auth.citizen o WHERE o.id = c.citizen_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such citizen' USING ERRCODE = 'SK404';
  ELSIF known.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'closed already' USING ERRCODE = 'SK409';
  END IF;
  c.closed_at := clock_timestamp(); c.reopened_at := NULL;
  INSERT INTO auth.closure SELECT c.*;
  UPDATE auth.citizen o SET closed_at = c.closed_at WHERE o.id = c.citizen_id;
  WITH done AS (
    UPDATE auth.session s SET ended_at = c.closed_at WHERE s.ended_at IS NULL AND (s.citizen_id = c.citizen_id
        OR s.practitioner_id IN (SELECT p.id FROM auth.practitioner p WHERE p.citizen_id = c.citizen_id)) RETURNING s.id)
  SELECT coalesce(array_agg(id), '{}') INTO ended FROM done;
  PERFORM audit.write_line(c.citizen_id, 'ACCOUNT_CLOSED', NULL::auth.session,
    jsonb_build_object('closure', c.id, 'reason', c.reason, 'sessions', ended));
  RETURN cardinality(ended);
END $$;

-- SK409: it is not closed, or was closed by joining numbers, which only undoing the join opens.
CREATE OR REPLACE FUNCTION auth.reopen_citizen(target uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE reopened uuid;
BEGIN
  PERFORM FROM auth.citizen o WHERE o.id = target FOR UPDATE;
  UPDATE auth.closure c SET reopened_at = clock_timestamp() WHERE c.citizen_id = target AND c.reopened_at IS NULL RETURNING c.id INTO reopened;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'not closed' USING ERRCODE = 'SK409';
  END IF;
  UPDATE auth.citizen o SET closed_at = NULL WHERE o.id = target;
  PERFORM audit.write_line(target, 'ACCOUNT_REOPENED', NULL::auth.session, jsonb_build_object('closure', reopened));
END $$;
REVOKE ALL ON FUNCTION auth.close_citizen, auth.reopen_citizen FROM PUBLIC;
