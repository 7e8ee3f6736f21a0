-- owner: auth_owner
-- The hospitals' door. Each function knows its caller by the bearer token alone: a facility sees its own messages only.
-- Keeps a message and enqueues its processing, in one transaction. The same bytes again give the same receipt.
-- SK409: the Idempotency-Key was used with other bytes.
CREATE OR REPLACE FUNCTION intake.keep_message(token text, message_id uuid, format text, digest bytea, size_bytes int,
    idempotency_key text, sealed bytea, OUT id uuid, OUT received_at timestamptz, OUT status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE facility text := auth.calling_facility(token); known intake.message;
BEGIN
  INSERT INTO intake.message AS m (id, facility_code, format, digest, size_bytes, idempotency_key, received_at, status, body)
  VALUES (message_id, facility, format, digest, size_bytes, idempotency_key, clock_timestamp(), 'received', sealed)
  ON CONFLICT DO NOTHING RETURNING m.id, m.received_at, m.status INTO id, received_at, status;
  IF FOUND THEN
    PERFORM intake.enqueue_message(id, facility, size_bytes);
    RETURN;
  END IF;
  SELECT m.* INTO known FROM intake.message m WHERE m.facility_code = facility AND m.idempotency_key = keep_message.idempotency_key;
  IF FOUND AND known.digest <> digest THEN
    RAISE EXCEPTION 'the idempotency key was used with other bytes' USING ERRCODE = 'SK409';
  END IF;
  SELECT m.id, m.received_at, m.status INTO STRICT id, received_at, status FROM intake.message m
   WHERE m.facility_code = facility AND m.digest = keep_message.digest;
END $$;

-- `withdrawn`: when visits that it brought were taken back since, by their names.
DROP FUNCTION IF EXISTS intake.receipt(text, uuid);
CREATE OR REPLACE FUNCTION intake.receipt(token text, message_id uuid)
RETURNS TABLE (id uuid, received_at timestamptz, status text, concluded_at timestamptz, size_bytes int, verdict jsonb, withdrawn jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.id, m.received_at, m.status, m.concluded_at, m.size_bytes, m.verdict,
         (SELECT jsonb_object_agg(f.source_id, f.withdrawn_at) FROM auth.filing f WHERE f.message_id = m.id AND f.withdrawn_at IS NOT NULL)
    FROM intake.message m
   WHERE m.facility_code = auth.calling_facility(token) AND m.id = message_id AND m.format <> 'split'
$$;

-- A page of a facility's receipts, oldest first, after (since, after_id).
CREATE OR REPLACE FUNCTION intake.receipts(token text, since timestamptz, after_id uuid, only_status text, page int)
RETURNS TABLE (id uuid, received_at timestamptz, status text, concluded_at timestamptz, size_bytes int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.id, m.received_at, m.status, m.concluded_at, m.size_bytes FROM intake.message m
   WHERE m.facility_code = auth.calling_facility(token) AND (m.received_at, m.id) > (since, after_id)
     AND (only_status IS NULL OR m.status = only_status) AND m.format <> 'split'
   ORDER BY m.received_at, m.id LIMIT page
$$;
REVOKE ALL ON FUNCTION intake.keep_message, intake.receipt, intake.receipts FROM PUBLIC;
GRANT USAGE ON SCHEMA intake TO ingest, worker;
GRANT EXECUTE ON FUNCTION intake.keep_message, intake.receipt, intake.receipts TO ingest;
