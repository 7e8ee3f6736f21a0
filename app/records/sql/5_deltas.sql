-- owner: book_owner
-- A message may tell single records of a visit (FHIR) instead of whole tables (XML1, XML2 …): what it does not hold stays.
-- Each such record has a rank of its own in arrival_order, "KIND key"; what the Encounter itself says has ENCOUNTER.
-- The parts that hold records of a kind, as whole tables name them.
CREATE OR REPLACE FUNCTION book.part_of(kind text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE kind WHEN 'PRESCRIPTION' THEN 'PRESCRIPTIONS' WHEN 'TEST_REPORT' THEN 'REPORTS' END
$$;

-- Which single records a newer message than `rank` told, by kind.
CREATE OR REPLACE FUNCTION book.newer_records(ranks jsonb, rank text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_object_agg(k, (SELECT coalesce(jsonb_agg(substr(r.key, length(k) + 2)), '[]') FROM jsonb_each_text(ranks) r
      WHERE starts_with(r.key, k || ' ') AND r.value > rank))
    FROM unnest('{PRESCRIPTION,TEST_REPORT,DOCUMENT}'::text[]) k
$$;

-- What the newest message without whole tables said of the visit itself.
CREATE OR REPLACE FUNCTION book.told_by_encounter(citizen uuid, facility text, source text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT r.content - 'source_id' FROM book.visit v
      JOIN book.record_version r ON r.citizen_id = citizen AND r.record_id = v.id
     WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = source
       AND r.change IN ('ADDED', 'REPLACED') AND NOT r.content ? 'cost_total' ORDER BY r.version DESC LIMIT 1), '{}')
$$;

-- Procedures stand beside the services that are there; a whole table (XML3) tells them all, with their prices.
CREATE OR REPLACE FUNCTION book.add_services(citizen uuid, visit uuid, services jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO book.visit_service (citizen_id, visit_id, line, masked, group_code, code, name, unit, quantity, unit_price, amount,
    insured_amount, benefit_percent, ordered_at, performed_at)
  SELECT citizen, visit, (SELECT coalesce(max(o.line), 0) FROM book.visit_service o WHERE o.citizen_id = citizen AND o.visit_id = visit)
      + row_number() OVER (ORDER BY s.line), v.masked, s.group_code, s.code, s.name, s.unit, s.quantity, s.unit_price, s.amount,
    s.insured_amount, s.benefit_percent, s.ordered_at, s.performed_at
    FROM jsonb_populate_recordset(NULL::book.visit_service, services) s JOIN book.visit v ON v.citizen_id = citizen AND v.id = visit
   WHERE NOT EXISTS (SELECT FROM book.visit_service o WHERE o.citizen_id = citizen AND o.visit_id = visit AND o.name = s.name
                        AND coalesce(o.performed_at, o.ordered_at) = coalesce(s.performed_at, s.ordered_at));
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION book.part_of, book.newer_records, book.told_by_encounter, book.add_services FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.part_of, book.newer_records, book.told_by_encounter, book.add_services TO worker;
