-- owner: book_owner
-- A facility that has changed its system, or taken over another one, sends what was sent before again under ids of its own. What is
-- the same by nature (visit: the minute at which it began; images: their DICOM id, or minute and service; allergy: its substance;
-- document: its visit, minute, kind and title) is a candidate to be filed as a new version of the record that rests. What was on the
-- way when the change was declared counts as sent before it: a message's id tells when it was received.
-- infra/decisions/0022-a-hospital-changes-its-system.md
CREATE OR REPLACE FUNCTION book.candidates(citizen uuid, facility text, one jsonb)
RETURNS TABLE (change uuid, record uuid, home_facility text, home_source text, is_same boolean, is_taken boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE at timestamptz := (one->>'at')::timestamptz; day date := (at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
BEGIN
  RETURN QUERY WITH changed AS (
    SELECT c.id, c.predecessor_code, greatest(c.declared_at, c.begins_on::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh') AS known_before
      FROM directory.facility_change c, (VALUES ((clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) t (today)
     WHERE c.facility_code = facility AND c.undone_at IS NULL AND (c.ends_on IS NULL OR t.today <= c.ends_on)
       AND (one->>'kind' = 'ALLERGY' OR (day >= c.resent_from AND day < c.begins_on))
  ), resting AS (
    SELECT v.id, v.facility_code, v.source_id, date_trunc('minute', v.started_at) = date_trunc('minute', at) AS is_same
      FROM book.visit v WHERE one->>'kind' = 'VISIT' AND v.citizen_id = citizen AND (v.started_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = day
    UNION ALL
    SELECT i.id, i.facility_code, i.source_id, CASE WHEN i.study_uid IS NOT NULL AND one->>'uid' IS NOT NULL THEN i.study_uid = one->>'uid'
             ELSE date_trunc('minute', i.started_at) = date_trunc('minute', at) AND i.procedure_code IS NOT DISTINCT FROM one->>'code' END
      FROM book.imaging_study i WHERE one->>'kind' = 'IMAGING' AND i.citizen_id = citizen
       AND (i.study_uid = one->>'uid' OR (date_trunc('minute', i.started_at) = date_trunc('minute', at) AND (i.study_uid IS NULL OR one->>'uid' IS NULL)))
    UNION ALL
    SELECT a.id, a.facility_code, a.source_id, true FROM book.allergy a
     WHERE one->>'kind' = 'ALLERGY' AND a.citizen_id = citizen AND a.concept = one->>'concept' AND a.is_none_known = (one->>'is_none_known')::boolean
    UNION ALL
    SELECT d.id, d.facility_code, d.source_id, true FROM book.document d JOIN book.visit v ON v.citizen_id = citizen AND v.id = d.visit_id
     WHERE one->>'kind' = 'DOCUMENT' AND d.citizen_id = citizen AND v.facility_code = one->>'visit_facility' AND v.source_id = one->>'visit'
       AND d.kind = 'ATTACHMENT' AND date_trunc('minute', d.dated_at) = date_trunc('minute', at)
       AND d.type_code IS NOT DISTINCT FROM one->>'code' AND d.title IS NOT DISTINCT FROM one->>'title'
  )
  SELECT c.id, r.id, r.facility_code, r.source_id, r.is_same, r.id = ANY ((SELECT auth.resent_records(citizen))::uuid[])
    FROM resting r JOIN changed c ON c.predecessor_code = r.facility_code
   WHERE EXISTS (SELECT FROM book.record_version n WHERE n.citizen_id = citizen AND n.record_id = r.id AND n.version = 1 AND least(n.filed_at, uuid_extract_timestamp(n.message_id)) < c.known_before);
END $$;
REVOKE ALL ON FUNCTION book.candidates FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.candidates TO worker;
