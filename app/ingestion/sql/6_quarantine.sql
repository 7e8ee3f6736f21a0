-- owner: auth_owner
-- What an operator looks at: messages that were not wholly filed, with their reasons, and the bytes of one of them.
DROP FUNCTION IF EXISTS intake.unfiled_messages(text, int);
CREATE OR REPLACE FUNCTION intake.unfiled_messages(only_facility text, only_status text, only_reason text, min_age interval, page int)
RETURNS TABLE (id uuid, facility_code text, status text, received_at timestamptz, age_seconds bigint, size_bytes int, reasons text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.id, m.facility_code, m.status, m.received_at, extract(epoch FROM clock_timestamp() - m.received_at)::bigint,
    m.size_bytes, why.reasons
    FROM intake.message m, LATERAL (
      SELECT array(SELECT DISTINCT code FROM jsonb_array_elements_text(jsonb_path_query_array(m.verdict,
        '$.**.problems[*] ? (@.effect == "REJECTS" || @.effect == "QUARANTINES").code')) code ORDER BY code) reasons) why
   WHERE m.status IN ('partly', 'quarantined', 'rejected') AND (only_facility IS NULL OR m.facility_code = only_facility)
     AND (only_status IS NULL OR m.status = only_status) AND (only_reason IS NULL OR only_reason = ANY (why.reasons))
     AND m.received_at <= clock_timestamp() - min_age
   ORDER BY m.received_at LIMIT page
$$;

CREATE OR REPLACE FUNCTION intake.unfiled_message(message_id uuid)
RETURNS TABLE (facility_code text, status text, received_at timestamptz, verdict jsonb, body bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT m.facility_code, m.status, m.received_at, m.verdict, m.body FROM intake.message m
   WHERE m.id = message_id AND m.status IN ('partly', 'quarantined', 'rejected')
$$;
REVOKE ALL ON FUNCTION intake.unfiled_messages, intake.unfiled_message FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.unfiled_messages, intake.unfiled_message TO worker;
