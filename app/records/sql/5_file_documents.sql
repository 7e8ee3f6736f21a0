-- owner: book_owner
-- The notes of a paper, with the vital signs that they tell.
CREATE OR REPLACE FUNCTION book.put_notes(citizen uuid, visit uuid, document uuid, masked boolean, facility text, notes jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO book.progress_note (citizen_id, document_id, line, masked, noted_at, note, stage, consultation, procedure, author_certificate)
  SELECT citizen, document, n.line, put_notes.masked, n.noted_at, n.note, n.stage, n.consultation, n.procedure, n.author_certificate
    FROM jsonb_populate_recordset(NULL::book.progress_note, notes) n;
  INSERT INTO book.vital_signs (citizen_id, document_id, line, masked, visit_id, measured_at, pulse_per_minute, temperature_celsius,
    systolic_mmhg, diastolic_mmhg, breaths_per_minute, oxygen_saturation_percent, facility_code)
  SELECT citizen, document, (n->>'line')::smallint, put_notes.masked, visit, (n->>'noted_at')::timestamptz, s.pulse_per_minute,
    s.temperature_celsius, s.systolic_mmhg, s.diastolic_mmhg, s.breaths_per_minute, s.oxygen_saturation_percent, facility
    FROM jsonb_array_elements(notes) n, jsonb_populate_record(NULL::book.vital_signs, n->'vital_signs') s
   WHERE n->'vital_signs' <> 'null';
END $$;

-- Files the papers of one visit with their notes and vital signs. `kinds` are those that this message is the newest of:
-- papers of these kinds that it no longer holds are withdrawn, those of other kinds stay.
DROP FUNCTION IF EXISTS book.file_documents(uuid, uuid, boolean, text[], jsonb, jsonb);
CREATE OR REPLACE FUNCTION book.file_documents(citizen uuid, visit uuid, kinds text[], arrived jsonb, provenance jsonb, OUT changes jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  of_masked_visit boolean; source text;
  one jsonb; known book.document; filed book.document; change text;
BEGIN
  SELECT v.masked, v.source_id INTO of_masked_visit, source FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit;
  changes := book.withdraw_missing(citizen, visit, 'DOCUMENT', ARRAY(
    SELECT e->>'source_id' FROM jsonb_array_elements(arrived) e UNION
    SELECT d.source_id FROM book.document d WHERE d.citizen_id = citizen AND d.visit_id = visit AND d.kind <> ALL (kinds)), provenance);
  FOR one IN SELECT jsonb_array_elements(arrived) LOOP
    filed := jsonb_populate_record(NULL::book.document, one || provenance);
    SELECT d.* INTO known FROM book.document d
     WHERE d.citizen_id = citizen AND d.visit_id = visit AND d.source_id = filed.source_id FOR UPDATE;
    filed.id := coalesce(known.id, filed.id);
    filed.citizen_id := citizen; filed.visit_id := visit; filed.filed_at := now();
    filed.masked := CASE WHEN known.id IS NULL THEN book.was_hidden(citizen, filed.facility_code, source, 'DOCUMENT ' || filed.source_id) OR coalesce(of_masked_visit, false)
                    ELSE known.masked END;
    SELECT n.change, n.version INTO change, filed.version FROM book.note_version(
      citizen, filed.id, 'DOCUMENT', known.digest, known.version, provenance, filed.digest, one - 'id' - 'digest') n;
    changes := changes || jsonb_build_object(filed.source_id, change);
    CONTINUE WHEN change = 'UNCHANGED';
    IF change = 'REPLACED' THEN
      DELETE FROM book.document d WHERE d.citizen_id = citizen AND d.id = filed.id;
    END IF;
    INSERT INTO book.document SELECT filed.*;
    IF one ? 'notes' THEN
      PERFORM book.put_notes(citizen, visit, filed.id, filed.masked, filed.facility_code, one->'notes');
    END IF;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.put_notes, book.file_documents FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.put_notes, book.file_documents TO worker;
