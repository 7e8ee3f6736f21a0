-- owner: book_owner
-- Files a visit that no message told of before, and all that `arrived` holds of it: first versions, of which nothing rests, is
-- masked or was withdrawn: so no row that it writes is looked for before. Takes what file_arrival and file_delta take, and returns the same.
CREATE OR REPLACE FUNCTION book.file_new_visit(citizen uuid, arrived jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told jsonb := arrived->'visit';
  known jsonb := provenance || jsonb_build_object('citizen_id', citizen, 'visit_id', told->'id', 'version', 1, 'filed_at', now(), 'masked', false);
  filed book.visit := jsonb_populate_record(jsonb_populate_record(NULL::book.visit, coalesce(told->'defaults', '{}') || known), told);
  suspected jsonb := book.suspects(arrived); records jsonb; revisits jsonb;
BEGIN
  filed.sensitive := 0; revisits := book.revisits(filed, arrived->'documents');
  INSERT INTO book.visit SELECT filed.*;
  PERFORM book.put_visit_lines(filed, told);
  PERFORM book.put_services(citizen, filed.id, false, coalesce(told->'services', arrived->'services'));
  IF arrived->'prescriptions' <> '[]' THEN
    INSERT INTO book.prescription SELECT r.* FROM jsonb_populate_recordset(jsonb_populate_record(NULL::book.prescription, known), arrived->'prescriptions') r;
    INSERT INTO book.prescription_item (citizen_id, prescription_id, line, masked, drug_code, drug_name, strength, form, route_code,
      quantity, unit, dose, instruction, registration_number, amount, benefit_percent)
    SELECT citizen, (e->>'id')::uuid, i.line, false, i.drug_code, i.drug_name, i.strength, i.form, i.route_code, i.quantity, i.unit, i.dose,
      i.instruction, i.registration_number, i.amount, i.benefit_percent FROM jsonb_array_elements(arrived->'prescriptions') e, jsonb_populate_recordset(NULL::book.prescription_item, e->'items') i;
  END IF;
  IF arrived->'reports' <> '[]' THEN
    INSERT INTO book.test_report SELECT r.* FROM jsonb_populate_recordset(jsonb_populate_record(NULL::book.test_report, known), arrived->'reports') r;
    INSERT INTO book.test_result (citizen_id, report_id, line, masked, code, name, value_text, value, unit, resulted_at,
      reference_range, interpretation)
    SELECT citizen, (e->>'id')::uuid, i.line, false, i.code, i.name, i.value_text, i.value, i.unit, (e->>'resulted_at')::timestamptz,
      i.reference_range, i.interpretation FROM jsonb_array_elements(arrived->'reports') e, jsonb_populate_recordset(NULL::book.test_result, e->'results') i;
  END IF;
  IF arrived->'documents' <> '[]' THEN
    INSERT INTO book.document SELECT r.* FROM jsonb_populate_recordset(jsonb_populate_record(NULL::book.document, known), arrived->'documents') r;
    PERFORM book.put_notes(citizen, filed.id, (e->>'id')::uuid, false, filed.facility_code, e->'notes')
       FROM jsonb_array_elements(arrived->'documents') e WHERE e ? 'notes';
  END IF;
  WITH told (kind, key, id, content) AS MATERIALIZED (
    SELECT 'VISIT', filed.source_id, filed.id, told
    UNION ALL
    SELECT k.kind, e->>'source_id', (e->>'id')::uuid, e
      FROM (VALUES ('PRESCRIPTION', arrived->'prescriptions'), ('TEST_REPORT', arrived->'reports'), ('DOCUMENT', arrived->'documents')) k (kind, held),
           jsonb_array_elements(k.held) e),
  noted AS (
    INSERT INTO book.record_version
    SELECT citizen, t.id, 1, t.kind, 'ADDED', filed.facility_code, filed.message_id, filed.source_version, filed.standard_version, filed.filed_at,
           t.content - '{id,digest,defaults}'::text[] FROM told t)
  SELECT jsonb_agg(jsonb_build_object('kind', t.kind, 'key', t.key, 'change', 'ADDED')) INTO records FROM told t;
  IF suspected IS NOT NULL THEN
    PERFORM book.classify(citizen, filed.id, suspected, true);
  END IF;
  PERFORM book.tell_results(citizen, filed.id, records);
  IF suspected @? '$[*] ? (@.name == "visit" || @.name == "document")' THEN
    PERFORM book.follow_revisits(citizen, filed.facility_code, filed.source_id);
  ELSIF revisits <> '[]' THEN
    PERFORM care.file_appointments(citizen, filed.facility_code, book.revisit_source(filed.source_id), 'PAPER', revisits, true);
  END IF;
  PERFORM auth.book_changed(citizen);
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.file_new_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_new_visit TO worker;
