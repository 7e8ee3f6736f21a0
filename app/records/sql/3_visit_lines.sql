-- owner: book_owner
-- What file_visit writes: the columns of a visit that is corrected, its diagnoses and cards, its services.
CREATE OR REPLACE FUNCTION book.replace_visit(filed book.visit) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE book.visit v SET (digest, version, message_id, source_version, standard_version, filed_at, kind_code, started_at,
      admitted_at, ended_at, reason, arrival_diagnosis, discharge_diagnosis, outcome_code, discharge_code, department_codes,
      treatment_days, treatment, advice, weight_kg, record_number, insurance_category_code, cost_total, cost_drugs,
      cost_supplies, cost_within_insurance, cost_paid_by_fund, cost_copayment, cost_self_paid, cost_paid_by_others, paid_at,
      revisit_on, referred_from_code, referred_to_code)
    = (filed.digest, filed.version, filed.message_id, filed.source_version, filed.standard_version, filed.filed_at,
      filed.kind_code, filed.started_at, filed.admitted_at, filed.ended_at, filed.reason, filed.arrival_diagnosis,
      filed.discharge_diagnosis, filed.outcome_code, filed.discharge_code, filed.department_codes, filed.treatment_days,
      filed.treatment, filed.advice, filed.weight_kg, filed.record_number, filed.insurance_category_code, filed.cost_total,
      filed.cost_drugs, filed.cost_supplies, filed.cost_within_insurance, filed.cost_paid_by_fund, filed.cost_copayment,
      filed.cost_self_paid, filed.cost_paid_by_others, filed.paid_at, filed.revisit_on, filed.referred_from_code,
      filed.referred_to_code)
   WHERE v.citizen_id = filed.citizen_id AND v.id = filed.id
$$;

CREATE OR REPLACE FUNCTION book.put_visit_lines(filed book.visit, arrived jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF filed.version > 1 THEN
    DELETE FROM book.visit_diagnosis d WHERE d.citizen_id = filed.citizen_id AND d.visit_id = filed.id AND arrived ? 'diagnoses';
    DELETE FROM book.visit_insurance i WHERE i.citizen_id = filed.citizen_id AND i.visit_id = filed.id AND arrived ? 'insurance';
  END IF;
  INSERT INTO book.visit_diagnosis (citizen_id, visit_id, line, masked, role, code, recorded_at, facility_code)
  SELECT filed.citizen_id, filed.id, d.line, filed.masked, d.role, d.code, filed.started_at, filed.facility_code
    FROM jsonb_populate_recordset(NULL::book.visit_diagnosis, arrived->'diagnoses') d;
  INSERT INTO book.visit_insurance (citizen_id, visit_id, line, masked, id, number_sealed, registered_facility_code, valid_from,
    valid_until, lookup, shown_at, benefit_code, benefit_percent, exempt_from, five_years_on, facility_code)
  SELECT filed.citizen_id, filed.id, i.line, filed.masked, i.id, i.number_sealed, i.registered_facility_code, i.valid_from,
    i.valid_until, i.lookup, filed.started_at, i.benefit_code, i.benefit_percent, i.exempt_from, i.five_years_on, filed.facility_code
    FROM jsonb_populate_recordset(NULL::book.visit_insurance, arrived->'insurance') i;
END $$;

CREATE OR REPLACE FUNCTION book.put_services(citizen uuid, visit uuid, masked boolean, services jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO book.visit_service (citizen_id, visit_id, line, masked, group_code, code, name, unit, quantity, unit_price, amount,
    insured_amount, benefit_percent, ordered_at, performed_at)
  SELECT citizen, visit, s.line, put_services.masked, s.group_code, s.code, s.name, s.unit, s.quantity, s.unit_price, s.amount,
    s.insured_amount, s.benefit_percent, s.ordered_at, s.performed_at
    FROM jsonb_populate_recordset(NULL::book.visit_service, services) s;
END $$;
REVOKE ALL ON FUNCTION book.replace_visit, book.put_visit_lines, book.put_services FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.replace_visit, book.put_visit_lines, book.put_services TO worker;
