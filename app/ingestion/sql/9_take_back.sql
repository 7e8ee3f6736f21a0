-- owner: auth_owner
-- What has become of a visit that the signed-in citizen disowned: TAKEN_OUT, SENT_FOR_ANOTHER by its facility, or TAKEN_BACK.
CREATE OR REPLACE FUNCTION auth.disowned_state(which uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN d.undone_at IS NOT NULL THEN 'TAKEN_BACK' WHEN auth.home_of(d.facility_code, d.source_id) <> d.citizen_id THEN 'SENT_FOR_ANOTHER'
              ELSE 'TAKEN_OUT' END
    FROM auth.disowned_visit d WHERE d.id = which AND d.citizen_id = auth.me()
$$;
DROP POLICY IF EXISTS own ON auth.disowned_visit;
CREATE POLICY own ON auth.disowned_visit FOR SELECT TO desk USING (citizen_id = (SELECT auth.me()));
GRANT SELECT ON auth.disowned_visit TO desk, book_reader;

-- "It is mine after all": the visit may be filed for its owner again, and every message that brought it is. SK404: they
-- disowned no such visit · SK409: it is not out of the book yet, or its facility has sent it for somebody else.
CREATE OR REPLACE FUNCTION auth.take_visit_back(which uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_citizen_session('IDENTIFIERS'); d auth.disowned_visit; again uuid[]; m intake.message;
BEGIN
  SELECT o.* INTO d FROM auth.disowned_visit o WHERE o.id = which AND o.citizen_id = live.citizen_id AND o.undone_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such record' USING ERRCODE = 'SK404';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(d.facility_code || '|' || d.source_id, 1));  -- as match_person does
  IF auth.home_of(d.facility_code, d.source_id) = d.citizen_id THEN
    RAISE EXCEPTION 'still being taken out' USING ERRCODE = 'SK409';
  ELSIF auth.home_of(d.facility_code, d.source_id) IS NOT NULL THEN
    RAISE EXCEPTION 'another has it now' USING ERRCODE = 'SK409';
  END IF;
  UPDATE auth.disowned_visit o SET undone_at = clock_timestamp() WHERE o.id = which;
  again := array(SELECT o.id FROM auth.filing f JOIN intake.message o ON o.id = f.message_id AND o.format NOT IN ('withdrawal', 'split')
                  WHERE (f.citizen_id, f.facility_code, f.source_id) = (d.citizen_id, d.facility_code, d.source_id) AND f.withdrawn_at >= d.disowned_at);
  UPDATE auth.filing f SET withdrawn_at = NULL WHERE f.message_id = ANY (again) AND f.source_id = d.source_id;
  again := again || array(SELECT o.id FROM intake.message o  -- what came meanwhile, and waits because it was disowned
    WHERE o.facility_code = d.facility_code AND o.received_at >= d.disowned_at AND o.status IN ('partly', 'quarantined')
      AND jsonb_path_exists(o.verdict, '$.visits[*] ? (@.visit == $visit && @.problems[*].code == "NOT_MINE")', jsonb_build_object('visit', d.source_id)));
  FOR m IN UPDATE intake.message o SET status = 'received', concluded_at = NULL
            WHERE o.id = ANY (again) AND o.status IN ('filed', 'partly', 'quarantined') RETURNING o.* LOOP
    PERFORM intake.enqueue_message(m.id, m.facility_code, m.size_bytes);
  END LOOP;
  PERFORM audit.write_line(live.citizen_id, 'RECORD_TAKEN_BACK', live, jsonb_build_object('facility', d.facility_code, 'disowned', which));
  RETURN which;
END $$;
REVOKE ALL ON FUNCTION auth.disowned_state, auth.take_visit_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.disowned_state TO desk, book_reader;
GRANT EXECUTE ON FUNCTION auth.take_visit_back TO desk;
