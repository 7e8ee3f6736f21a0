-- owner: auth_owner
-- Begins a mutation as the signed-in person. Null: it is new, and must be ended by `end_deed` in the same transaction.
-- Else what it told when it was done, or SK409 when the key was used for something else. A second one at the same time
-- waits for the first; keys are kept for 48 hours.
CREATE OR REPLACE FUNCTION auth.begin_deed(idempotency_key text, asked bytea) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); me uuid := coalesce(live.citizen_id, live.practitioner_id); earlier auth.deed;
BEGIN
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

CREATE OR REPLACE FUNCTION auth.end_deed(idempotency_key text, what jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  UPDATE auth.deed d SET told = what WHERE d.viewer = coalesce(live.citizen_id, live.practitioner_id) AND d.key = idempotency_key;
END $$;
REVOKE ALL ON FUNCTION auth.end_deed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.begin_deed, auth.end_deed TO desk;
