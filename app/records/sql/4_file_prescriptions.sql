-- owner: book_owner
-- Files the prescriptions of one visit; those that the message no longer holds are withdrawn. Returns what became of each: its key in the visit and ADDED, REPLACED, UNCHANGED or WITHDRAWN.
DROP FUNCTION IF EXISTS book.file_prescriptions(uuid, uuid, boolean, jsonb, jsonb);
CREATE OR REPLACE FUNCTION book.file_prescriptions(citizen uuid, visit uuid, arrived jsonb, provenance jsonb,
                                                   OUT changes jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  of_masked_visit boolean; source text;
  one jsonb; known book.prescription; filed book.prescription; change text;
BEGIN
  SELECT v.masked, v.source_id INTO of_masked_visit, source FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit;
  changes := book.withdraw_missing(citizen, visit, 'PRESCRIPTION',
    ARRAY(SELECT e->>'source_id' FROM jsonb_array_elements(arrived) e), provenance);
  FOR one IN SELECT jsonb_array_elements(arrived) LOOP
    filed := jsonb_populate_record(NULL::book.prescription, one || provenance);
    SELECT p.* INTO known FROM book.prescription p
     WHERE p.citizen_id = citizen AND p.visit_id = visit AND p.source_id = filed.source_id FOR UPDATE;
    filed.id := coalesce(known.id, filed.id); filed.code := coalesce(filed.code, known.code);
    filed.citizen_id := citizen; filed.visit_id := visit; filed.filed_at := now();
    filed.masked := CASE WHEN known.id IS NULL THEN book.was_hidden(citizen, filed.facility_code, source, 'PRESCRIPTION ' || filed.source_id) OR coalesce(of_masked_visit, false)
                    ELSE known.masked END;
    SELECT n.change, n.version INTO change, filed.version FROM book.note_version(
      citizen, filed.id, 'PRESCRIPTION', known.digest, known.version, provenance, filed.digest, one - 'id' - 'digest') n;
    changes := changes || jsonb_build_object(filed.source_id, change);
    CONTINUE WHEN change = 'UNCHANGED';
    IF change = 'REPLACED' THEN
      DELETE FROM book.prescription p WHERE p.citizen_id = citizen AND p.id = filed.id;
    END IF;
    INSERT INTO book.prescription SELECT filed.*;
    INSERT INTO book.prescription_item (citizen_id, prescription_id, line, masked, drug_code, drug_name, strength, form, route_code,
      quantity, unit, dose, instruction, registration_number, amount, benefit_percent)
    SELECT citizen, filed.id, i.line, filed.masked, i.drug_code, i.drug_name, i.strength, i.form, i.route_code, i.quantity, i.unit,
      i.dose, i.instruction, i.registration_number, i.amount, i.benefit_percent
      FROM jsonb_populate_recordset(NULL::book.prescription_item, one->'items') i;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.file_prescriptions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_prescriptions TO worker;
