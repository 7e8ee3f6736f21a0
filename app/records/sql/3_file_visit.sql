-- owner: book_owner
-- Files the visit itself with its diagnoses, cards and services. `arrived` is made by app/records/filing.py:
-- the row's columns, `digest`, and `diagnoses`, `insurance`, `services` (absent: what was filed before stays).
CREATE OR REPLACE FUNCTION book.file_visit(citizen uuid, arrived jsonb, provenance jsonb, OUT visit uuid, OUT change text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known book.visit;
  filed book.visit := jsonb_populate_record(NULL::book.visit, arrived || provenance);
BEGIN
  SELECT v.* INTO known FROM book.visit v
   WHERE v.citizen_id = citizen AND v.facility_code = filed.facility_code AND v.source_id = filed.source_id FOR UPDATE;
  visit := coalesce(known.id, filed.id);
  IF known.arrived_at > filed.arrived_at THEN  -- messages may be worked through in another order than they came
    change := 'OUTDATED';
    RETURN;
  END IF;
  IF NOT arrived ? 'services' THEN  -- the second half of a digest is that of the services
    filed.digest := filed.digest || coalesce(substr(known.digest, 33), '');
  END IF;
  filed.id := visit; filed.citizen_id := citizen; filed.filed_at := now(); filed.masked := coalesce(known.masked, false);
  SELECT n.change, n.version INTO change, filed.version FROM book.note_version(
    citizen, visit, 'VISIT', known.digest, known.version, provenance, filed.digest, arrived - 'id' - 'digest') n;
  IF change = 'UNCHANGED' THEN
    UPDATE book.visit v SET arrived_at = filed.arrived_at WHERE v.citizen_id = citizen AND v.id = visit;
    RETURN;
  END IF;
  IF known.id IS NULL THEN
    INSERT INTO book.visit SELECT filed.*;
  ELSE
    UPDATE book.visit v SET (digest, version, arrived_at, message_id, source_version, standard_version, filed_at, kind_code, started_at,
        admitted_at, ended_at, reason, arrival_diagnosis, discharge_diagnosis, outcome_code, discharge_code, department_codes,
        treatment_days, treatment, advice, weight_kg, record_number, insurance_category_code, cost_total, cost_drugs,
        cost_supplies, cost_within_insurance, cost_paid_by_fund, cost_copayment, cost_self_paid, cost_paid_by_others, paid_at)
      = (filed.digest, filed.version, filed.arrived_at, filed.message_id, filed.source_version, filed.standard_version, filed.filed_at,
        filed.kind_code, filed.started_at, filed.admitted_at, filed.ended_at, filed.reason, filed.arrival_diagnosis,
        filed.discharge_diagnosis, filed.outcome_code, filed.discharge_code, filed.department_codes, filed.treatment_days,
        filed.treatment, filed.advice, filed.weight_kg, filed.record_number, filed.insurance_category_code, filed.cost_total,
        filed.cost_drugs, filed.cost_supplies, filed.cost_within_insurance, filed.cost_paid_by_fund, filed.cost_copayment,
        filed.cost_self_paid, filed.cost_paid_by_others, filed.paid_at)
     WHERE v.citizen_id = citizen AND v.id = visit;
    DELETE FROM book.visit_diagnosis d WHERE d.citizen_id = citizen AND d.visit_id = visit;
    DELETE FROM book.visit_insurance i WHERE i.citizen_id = citizen AND i.visit_id = visit;
    DELETE FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = visit AND arrived ? 'services';
  END IF;
  INSERT INTO book.visit_diagnosis (citizen_id, visit_id, line, masked, role, code, recorded_at)
  SELECT citizen, visit, d.line, filed.masked, d.role, d.code, filed.started_at
    FROM jsonb_populate_recordset(NULL::book.visit_diagnosis, arrived->'diagnoses') d;
  INSERT INTO book.visit_insurance (citizen_id, visit_id, line, masked, id, number_sealed, registered_facility_code, valid_from, valid_until)
  SELECT citizen, visit, i.line, filed.masked, i.id, i.number_sealed, i.registered_facility_code, i.valid_from, i.valid_until
    FROM jsonb_populate_recordset(NULL::book.visit_insurance, arrived->'insurance') i;
  INSERT INTO book.visit_service (citizen_id, visit_id, line, masked, group_code, code, name, unit, quantity, unit_price, amount,
    insured_amount, ordered_at, performed_at)
  SELECT citizen, visit, s.line, filed.masked, s.group_code, s.code, s.name, s.unit, s.quantity, s.unit_price, s.amount,
    s.insured_amount, s.ordered_at, s.performed_at
    FROM jsonb_populate_recordset(NULL::book.visit_service, coalesce(arrived->'services', '[]')) s;
END $$;
REVOKE ALL ON FUNCTION book.file_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_visit TO worker;
