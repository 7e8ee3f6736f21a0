-- owner: auth_owner
-- Stores certificates with their places, for the service door. What the register says now holds: a place that it does
-- not name any more ended yesterday; whose name or personal id is another one now is signed out.
CREATE OR REPLACE FUNCTION auth.store_practitioners(register jsonb, OUT added int, OUT changed int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE fresh uuid[]; touched uuid[];
BEGIN
  UPDATE auth.session s SET ended_at = clock_timestamp() FROM auth.practitioner p, jsonb_populate_recordset(NULL::auth.practitioner, register) r
   WHERE r.certificate = p.certificate AND s.practitioner_id = p.id AND s.ended_at IS NULL
     AND (p.name_key, p.person_lookup) IS DISTINCT FROM (r.name_key, r.person_lookup);
  WITH sent AS (
    SELECT r.*, (e->>'suspended_on')::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS stops_at
      FROM jsonb_array_elements(register) e, jsonb_populate_record(NULL::auth.practitioner, e) r),
  put AS (
    INSERT INTO auth.practitioner AS p (id, certificate, full_name, name_key, person_lookup, valid_from, valid_until, suspended_at, registered_at)
    SELECT id, certificate, full_name, name_key, person_lookup, valid_from, valid_until, stops_at, registered_at FROM sent
    ON CONFLICT (certificate) DO UPDATE SET (full_name, name_key, person_lookup, valid_from, valid_until, suspended_at, citizen_id) =
      (excluded.full_name, excluded.name_key, excluded.person_lookup, excluded.valid_from, excluded.valid_until, excluded.suspended_at,
       CASE WHEN (p.name_key, p.person_lookup) = (excluded.name_key, excluded.person_lookup) THEN p.citizen_id END)
    WHERE (p.full_name, p.person_lookup, p.valid_from, p.valid_until, p.suspended_at)
      IS DISTINCT FROM (excluded.full_name, excluded.person_lookup, excluded.valid_from, excluded.valid_until, excluded.suspended_at)
    RETURNING p.id, old.id IS NULL AS is_new)
  SELECT coalesce(array_agg(id) FILTER (WHERE is_new), '{}'), coalesce(array_agg(id) FILTER (WHERE NOT is_new), '{}') INTO fresh, touched FROM put;
  WITH sent AS (
    SELECT p.id, w.* FROM jsonb_array_elements(register) e JOIN auth.practitioner p ON p.certificate = e->>'certificate',
           jsonb_to_recordset(e->'places') w (facility_code text, valid_from date, valid_until date)),
  ended AS (
    UPDATE auth.practitioner_place w SET valid_until = auth.today() - 1
     WHERE w.practitioner_id IN (SELECT id FROM sent) AND coalesce(w.valid_until, 'infinity') >= auth.today()
       AND NOT EXISTS (SELECT FROM sent WHERE (sent.id, sent.facility_code, sent.valid_from) = (w.practitioner_id, w.facility_code, w.valid_from))
    RETURNING w.practitioner_id),
  put AS (
    INSERT INTO auth.practitioner_place AS w SELECT id, facility_code, valid_from, valid_until FROM sent
    ON CONFLICT (practitioner_id, facility_code, valid_from) DO UPDATE SET valid_until = excluded.valid_until
    WHERE w.valid_until IS DISTINCT FROM excluded.valid_until
    RETURNING w.practitioner_id)
  SELECT cardinality(fresh), count(DISTINCT id) FILTER (WHERE id <> ALL (fresh)) INTO added, changed
    FROM (SELECT practitioner_id FROM ended UNION ALL SELECT practitioner_id FROM put UNION ALL SELECT unnest(touched)) other (id);
END $$;
REVOKE ALL ON FUNCTION auth.store_practitioners FROM PUBLIC;
