-- owner: auth_owner
-- Begins a mutation as the signed-in person. Null: it is new, and must be ended by `end_deed` in the same transaction.
-- Else what it told when it was done, or SK409 when the key was used for something else. A second one at the same time
-- waits for the first; keys are kept for 48 hours.
CREATE OR REPLACE FUNCTION auth.begin_deed(idempotency_key text, asked bytea) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); me uuid := coalesce(live.citizen_id, live.practitioner_id); earlier auth.deed; done text;
BEGIN
  done := set_config('desk.viewer', me::text, true);
  DELETE FROM auth.deed d WHERE d.viewer = me AND d.key = idempotency_key AND d.done_at < clock_timestamp() - interval '48 hours';
  INSERT INTO auth.deed VALUES (me, idempotency_key, asked, NULL, clock_timestamp()) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN NULL;
  END IF;
  SELECT d.* INTO STRICT earlier FROM auth.deed d WHERE d.viewer = me AND d.key = idempotency_key;
  IF earlier.digest <> asked THEN
    RAISE EXCEPTION 'this key was used for something else' USING ERRCODE = 'SK409';
  END IF;
  RETURN earlier.told;
END $$;
REVOKE ALL ON FUNCTION auth.begin_deed FROM PUBLIC;

-- Ends what this transaction began, whoever's session it is by now: only its own deed is untold.
CREATE OR REPLACE FUNCTION auth.end_deed(idempotency_key text, what jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE auth.deed d SET told = what
   WHERE d.viewer = current_setting('desk.viewer')::uuid AND d.key = idempotency_key AND d.told IS NULL;
END $$;
REVOKE ALL ON FUNCTION auth.end_deed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.begin_deed, auth.end_deed TO desk;

-- A deed that was refused is none: its key may be used again.
CREATE OR REPLACE FUNCTION auth.forget_deed(idempotency_key text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM auth.deed d
   WHERE d.viewer = current_setting('desk.viewer')::uuid AND d.key = idempotency_key AND d.told IS NULL;
END $$;
REVOKE ALL ON FUNCTION auth.forget_deed FROM PUBLIC;

CREATE OR REPLACE FUNCTION auth.deed_is_done(idempotency_key text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  RETURN EXISTS (SELECT FROM auth.deed d WHERE d.viewer = coalesce(live.citizen_id, live.practitioner_id) AND d.key = idempotency_key);
END $$;
REVOKE ALL ON FUNCTION auth.deed_is_done FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.forget_deed, auth.deed_is_done TO desk;
