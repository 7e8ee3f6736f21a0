-- owner: book_owner
-- Files everything that a message says of one visit, in one round trip, and tells readers when the book changed.
-- `arrived` is made by app/records/filing.py: visit, prescriptions, reports, documents, and `parts`, those that were sent:
-- what was not sent leaves what was filed before alone; `person` and `told` are those of auth.describe_citizen. Returns the records as [{kind, key, change}]: ADDED, REPLACED,
-- UNCHANGED, WITHDRAWN or OUTDATED (a newer version is shown; this one is kept).
DROP FUNCTION IF EXISTS book.file_arrival(uuid, jsonb, jsonb, jsonb, jsonb);
CREATE OR REPLACE FUNCTION book.file_arrival(citizen uuid, arrived jsonb, provenance jsonb)
RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sent text[] := ARRAY(SELECT jsonb_array_elements_text(arrived->'parts'));
  kinds text[] := ARRAY(SELECT jsonb_array_elements_text(arrived->'kinds'));
  visit_key text := arrived->'visit'->>'source_id';
  rank text := provenance->>'rank';
  ordered record; filed record; is_new boolean; records jsonb; share numeric;
BEGIN
  ordered := book.take_parts(citizen, provenance->>'facility_code', visit_key, sent, rank);
  IF ordered.taken IS NULL THEN
    PERFORM book.keep_aside(citizen, (arrived->'visit'->>'id')::uuid, 'VISIT', provenance, (arrived->'visit') - 'id' - 'digest');
    RETURN jsonb_build_array(jsonb_build_object('kind', 'VISIT', 'key', visit_key, 'change', 'WITHDRAWN'));
  END IF;
  IF ordered.ranks <> '{}' THEN
    provenance := provenance || jsonb_build_object('newer', book.newer_records(ordered.ranks, rank));
    IF ordered.ranks->>'ENCOUNTER' > rank THEN  -- a newer message said part of it
      arrived := jsonb_set(arrived, '{visit}', (arrived->'visit') || book.told_by_encounter(citizen, provenance->>'facility_code', visit_key));
    END IF;
  END IF;
  PERFORM auth.describe_citizen(citizen, arrived->'person', arrived->'told');
  IF ordered.is_new THEN
    RETURN book.file_new_visit(citizen, arrived, provenance);
  END IF;
  filed := book.file_visit(citizen, arrived->'visit', provenance, ordered.taken);
  is_new := filed.change = 'ADDED';
  records := jsonb_build_array(jsonb_build_object('kind', 'VISIT', 'key', visit_key, 'change', filed.change));
  IF 'PRESCRIPTIONS' = ANY (sent) THEN
    records := records || book.file_records('PRESCRIPTION', citizen, filed.visit, is_new, arrived->'prescriptions', provenance,
      CASE WHEN 'PRESCRIPTIONS' = ANY (ordered.taken) THEN '{PRESCRIPTIONS}'::text[] ELSE '{}' END, ordered.withdrawn);
  END IF;
  IF 'REPORTS' = ANY (sent) THEN
    records := records || book.file_records('TEST_REPORT', citizen, filed.visit, is_new, arrived->'reports', provenance,
      CASE WHEN 'REPORTS' = ANY (ordered.taken) THEN '{REPORTS}'::text[] ELSE '{}' END, ordered.withdrawn);
  END IF;
  IF cardinality(kinds) > 0 THEN
    records := records || book.file_records('DOCUMENT', citizen, filed.visit, is_new, arrived->'documents', provenance,
      ARRAY(SELECT k FROM unnest(kinds) k WHERE k = ANY (ordered.taken)), ordered.withdrawn);
  END IF;
  IF records @? '$[*].change ? (@ != "UNCHANGED" && @ != "OUTDATED")' THEN
    share := book.highest_benefit(citizen, filed.visit);
    UPDATE book.visit_insurance i SET benefit_percent = share
     WHERE i.citizen_id = citizen AND i.visit_id = filed.visit AND i.benefit_percent IS DISTINCT FROM share;
    records := book.name_reports(citizen, filed.visit, records, provenance);
    PERFORM book.classify(citizen, filed.visit, book.suspects(book.resting(citizen, filed.visit)), false);
    PERFORM book.tell_results(citizen, filed.visit, records);
    PERFORM book.follow_revisits(citizen, provenance->>'facility_code', visit_key);
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.file_arrival FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_arrival TO worker;
