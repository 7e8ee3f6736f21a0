-- owner: book_owner
-- Takes a result out of the report that waited for it: it was taken back before it came. Returns whether it stood there.
CREATE OR REPLACE FUNCTION book.drop_results(citizen uuid, visit text, report text, lines jsonb, provenance jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE rests book.test_report; content jsonb; stays jsonb;
BEGIN
  SELECT r.* INTO rests FROM book.visit v JOIN book.test_report r ON r.citizen_id = v.citizen_id AND r.visit_id = v.id
   WHERE v.citizen_id = citizen AND v.facility_code = provenance->>'facility_code' AND v.source_id = drop_results.visit AND r.source_id = report FOR UPDATE OF r;
  content := (SELECT v.content FROM book.record_version v WHERE (v.citizen_id, v.record_id, v.version) = (citizen, rests.id, rests.version));
  stays := (SELECT coalesce(jsonb_agg(l ORDER BY n), '[]') FROM jsonb_array_elements(content->'results') WITH ORDINALITY e (l, n)
             WHERE NOT lines @> jsonb_build_array(jsonb_build_array(l->'code', l->'name')));
  IF stays IS NULL OR jsonb_array_length(stays) = jsonb_array_length(content->'results') THEN
    RETURN false;
  END IF;
  PERFORM book.put_results(rests, book.with_results(CASE WHEN stays <> '[]' THEN stays ELSE jsonb_build_array(
    jsonb_build_object('code', NULL, 'name', left(coalesce(content->>'service_name', content->>'service_code', '-'), 1000))) END, '[]'), rests.description, provenance);
  PERFORM auth.book_changed(citizen);
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION book.drop_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.drop_results TO worker;
