-- owner: auth_owner
-- What the subscriptions of one process hear since their last look, in one statement for all, each judged anew by its
-- session, its grant and its representation. `asked`: [{id, since, known, seen}] with the last look's moment, the book's
-- version and the events that were heard already. Rows are in order; `kind` ENDED, SIGNED_OUT and GONE end a subscription.
-- A practitioner hears nothing of the citizen's own notices, and of the book no more than that their access ended; who
-- represents a citizen hears of what they may be told, and of changed records when nothing can be hidden from them.
-- The first row is of no subscription: `event` is the moment of this look. `keep`: say that these are alive; what is not said for ten minutes is forgotten.
DROP FUNCTION IF EXISTS notice.heard(text, bytea, uuid, uuid, bigint, uuid[]);
CREATE OR REPLACE FUNCTION notice.heard(asked jsonb, keep boolean) RETURNS TABLE (subscription uuid, kind text, subject text, at timestamptz, event uuid, version bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN  -- a kept snapshot does not see a session end
    RAISE EXCEPTION 'stale transaction' USING ERRCODE = '25001';
  END IF;
  -- The moment of this look, before its snapshot is taken: the next one begins here.
  RETURN QUERY SELECT NULL::uuid, NULL, NULL, NULL::timestamptz, uuidv7(), NULL::bigint;
  IF keep THEN
    UPDATE auth.live_subscription s SET kept_at = clock_timestamp() WHERE s.id IN (SELECT (a->>'id')::uuid FROM jsonb_array_elements(asked) a);
  END IF;
  RETURN QUERY
  WITH judged AS MATERIALIZED (
    SELECT a.*, s.citizen_id, v.citizen_id AS viewer, s.grant_id, notice.verdict(s) AS verdict
      FROM jsonb_to_recordset(asked) AS a (id uuid, since uuid, known bigint, seen uuid[])
      LEFT JOIN auth.live_subscription s ON s.id = a.id LEFT JOIN auth.session v ON v.id = s.session_id)
  SELECT j.id, h.kind, h.subject, h.at, h.event, h.version FROM judged j CROSS JOIN LATERAL (
    SELECT j.verdict AS kind, NULL::text AS subject, clock_timestamp() AS at, NULL::uuid AS event, NULL::bigint AS version, 2 AS place WHERE j.verdict <> 'HEAR'
    UNION ALL
    (SELECT k.kind, coalesce(e.about->>'grant', e.about->>'appointmentId'), e.happened_at, e.id, NULL, 0 FROM notice.event e
      CROSS JOIN LATERAL (SELECT CASE WHEN e.kind IN ('BOOK_OPENED', 'EMERGENCY_OPENED') THEN 'OPENED' WHEN e.kind IN ('APPOINTMENT_BOOKED', 'APPOINTMENT_CHANGED', 'APPOINTMENT_CANCELLED') THEN 'APPOINTMENT_CHANGED'
        WHEN e.kind LIKE 'GRANT%' OR e.kind = 'CODE_REDEEMED' THEN 'GRANT_CHANGED'
        WHEN e.kind = 'RESULT_READY' AND j.viewer <> j.citizen_id THEN 'RECORDS_CHANGED' END) k (kind)
     WHERE e.citizen_id = j.citizen_id AND e.happened_at >= uuid_extract_timestamp(j.since) AND e.id > j.since AND NOT e.id = ANY (j.seen)
       AND k.kind IS NOT NULL AND (e.citizen_id = j.viewer OR notice.may_be_told(j.viewer, e)) AND j.verdict = 'HEAR' AND j.grant_id IS NULL
     ORDER BY e.id LIMIT 100)
    UNION ALL
    SELECT 'RECORDS_CHANGED', NULL, clock_timestamp(), NULL, b.version, 1 FROM auth.book b
     WHERE b.citizen_id = j.citizen_id AND b.version > j.known AND j.verdict = 'HEAR' AND j.grant_id IS NULL AND (j.viewer = j.citizen_id
       OR (auth.representation(jsonb_populate_record(NULL::auth.session, jsonb_build_object('citizen_id', j.viewer)), j.citizen_id)).unmasked)
  ) h ORDER BY j.id, h.place, h.event;
END $$;
REVOKE ALL ON FUNCTION notice.heard FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.heard TO desk;
