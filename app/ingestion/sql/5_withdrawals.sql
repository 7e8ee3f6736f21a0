-- owner: auth_owner
-- A withdrawal is a message too: kept, sealed, worked off in its turn, with a receipt.
-- SK404: the facility filed no such visit, or no such record of it; another facility's visits look the same.
CREATE OR REPLACE FUNCTION intake.keep_withdrawal(token text, message_id uuid, digest bytea, size_bytes int, idempotency_key text,
    sealed bytea, visit text, record_kind text, record_key text, OUT id uuid, OUT received_at timestamptz, OUT status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE facility text := auth.calling_facility(token); newest uuid;
BEGIN
  -- A retry: the visit may have been sent again since, and that is not what was asked to be withdrawn.
  SELECT m.id, m.received_at, m.status INTO id, received_at, status FROM intake.message m
   WHERE m.facility_code = facility AND m.idempotency_key = keep_withdrawal.idempotency_key AND m.digest = ANY (ARRAY(
     SELECT sha256(keep_withdrawal.digest || uuid_send(f.message_id)) FROM auth.filing f WHERE f.facility_code = facility AND f.source_id = visit));
  IF FOUND THEN
    RETURN;
  END IF;
  newest := (SELECT f.message_id FROM auth.filing f, LATERAL (SELECT o.* FROM intake.message o WHERE o.id = f.message_id OFFSET 0) m
              WHERE f.facility_code = facility AND f.source_id = visit AND m.format <> 'withdrawal'
              ORDER BY m.received_at DESC LIMIT 1);
  IF newest IS NULL OR (record_kind <> 'VISIT' AND NOT EXISTS (
      SELECT FROM auth.filing f, LATERAL (SELECT o.* FROM intake.message o WHERE o.id = f.message_id OFFSET 0) m
       WHERE f.facility_code = facility AND f.source_id = visit
         AND jsonb_path_exists(m.verdict, '$.visits[*] ? (@.visit == $visit).records[*] ? (@.kind == $kind && @.key == $key)',
               jsonb_build_object('visit', visit, 'kind', record_kind, 'key', record_key)))) THEN
    RAISE EXCEPTION 'no such visit or record' USING ERRCODE = 'SK404';
  END IF;
  -- The same words about a visit that was sent again since are another withdrawal.
  SELECT k.id, k.received_at, k.status INTO id, received_at, status FROM intake.keep_message(
    token, message_id, 'withdrawal', sha256(digest || uuid_send(newest)), size_bytes, idempotency_key, sealed) k;
END $$;
REVOKE ALL ON FUNCTION intake.keep_withdrawal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.keep_withdrawal TO ingest;

-- Finds in whose book a visit stands that is to be withdrawn, so that open_filing may open it. A visit that is withdrawn
-- as a whole may then be sent for somebody else. NULL when it stands in no book any more.
CREATE OR REPLACE FUNCTION auth.prepare_withdrawal(message uuid, visit text, is_whole boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked intake.message; citizen uuid;
BEGIN
  SELECT m.* INTO STRICT asked FROM intake.message m WHERE m.id = message AND m.format = 'withdrawal';
  citizen := auth.home_of(asked.facility_code, visit);
  IF citizen IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE auth.filing f SET withdrawn_at = clock_timestamp() FROM intake.message m
   WHERE is_whole AND f.facility_code = asked.facility_code AND f.source_id = visit AND f.withdrawn_at IS NULL
     AND m.id = f.message_id AND m.received_at < asked.received_at;
  INSERT INTO auth.filing VALUES (message, 0, citizen, asked.facility_code, visit, clock_timestamp())
      ON CONFLICT (message_id, "position") DO NOTHING;
  IF is_whole THEN
    PERFORM auth.take_up_after(asked, citizen, visit);
  END IF;
  RETURN citizen;
END $$;
REVOKE ALL ON FUNCTION auth.prepare_withdrawal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.prepare_withdrawal TO worker;
