-- owner: book_writer
-- The signed-in person asks the facility of a record, theirs or of somebody whom they represent, to correct it. `told`: id,
-- record_id, words_sealed, answer_by, correct_by. Returns the citizen. SK404: no such record in a book of theirs.
CREATE OR REPLACE FUNCTION book.request_correction(target uuid, told jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked auth.correction := jsonb_populate_record(NULL::auth.correction, told);
  citizen uuid := auth.open_writing(target, 'CORRECTION_REQUESTED', jsonb_build_object('records', jsonb_build_array(told->'record_id'), 'correction', told->'id'), NULL);
  t record; found record;
BEGIN
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.may_be_masked LOOP
    EXECUTE format('SELECT r.facility_code, r.source_id, %s AS visit FROM book.%I r WHERE r.citizen_id = $1 AND r.id = $2', CASE WHEN t.name = 'visit' THEN 'r.source_id'
      WHEN t.key = 'visit_id' THEN '(SELECT v.source_id FROM book.visit v WHERE v.citizen_id = $1 AND v.id = r.visit_id)' ELSE 'r.visit_source_id' END, t.name)
      INTO found USING citizen, asked.record_id;
    IF found.facility_code IS NOT NULL THEN
      asked.kind := CASE t.name WHEN 'imaging_study' THEN 'IMAGING' ELSE upper(t.name) END;
      asked.citizen_id := citizen; asked.facility_code := found.facility_code; asked.source_id := found.source_id; asked.visit_source_id := found.visit;
      PERFORM auth.note_correction(asked);
      RETURN citizen;
    END IF;
  END LOOP;
  RAISE EXCEPTION 'no such record' USING ERRCODE = 'SK404';
END $$;
REVOKE ALL ON FUNCTION book.request_correction FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.request_correction TO desk;
