-- owner: book_owner
-- Writes down of which classes a record by itself is: what is written in it, and what its visit is, when it names one.
CREATE OR REPLACE FUNCTION book.classify_clinical(citizen uuid, resting text, record uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE said jsonb; classes int; line record;
BEGIN
  EXECUTE format('SELECT to_jsonb(r) FROM book.%I r WHERE r.citizen_id = $1 AND r.id = $2', resting) INTO said USING citizen, record;
  classes := book.classes_of(ARRAY[said->>'code'],
      (said - '{id,citizen_id,dose_id,message_id,digest,source_id,visit_source_id,facility_code}'::text[])::text)
    | coalesce((SELECT v.sensitive FROM book.visit v WHERE v.citizen_id = citizen AND v.facility_code = said->>'facility_code'
                   AND v.source_id = said->>'visit_source_id'), 0);
  IF classes = (said->>'sensitive')::int THEN
    RETURN;  -- nearly always
  END IF;
  EXECUTE format('UPDATE book.%I r SET sensitive = $3 WHERE r.citizen_id = $1 AND r.id = $2', resting) USING citizen, record, classes;
  FOR line IN SELECT g.name, g.key FROM book.guarded() g WHERE g.holder = resting LOOP
    EXECUTE format('UPDATE book.%I l SET sensitive = $3 WHERE l.citizen_id = $1 AND l.%I = $2', line.name, line.key) USING citizen, record, classes;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.classify_clinical FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.classify_clinical TO worker;
