-- owner: book_owner
-- Files what a message tells of one visit record by record, in one round trip. `arrived` is made by app/records/filing.py as
-- for file_arrival, with `joins` (results of reports that rest), `referred` (results that its reports refer to) and `taken_in` (results of records apart that reports hold now);
-- without `person` the Encounter itself is not in it, and the visit must rest already. Returns [{kind, key, change}]; a visit
-- that is gone is WITHDRAWN.
CREATE OR REPLACE FUNCTION book.file_delta(citizen uuid, arrived jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facility text := provenance->>'facility_code'; rank text := provenance->>'rank'; visit_key text := arrived->'visit'->>'source_id';
  holds jsonb := jsonb_build_object('PRESCRIPTION', arrived->'prescriptions', 'TEST_REPORT', arrived->'reports', 'DOCUMENT', arrived->'documents');
  is_whole boolean := arrived ? 'person';
  ordered record; filed record; part text; held text; records jsonb; newer jsonb; parts text[];
BEGIN
  ordered := book.take_parts(citizen, facility, visit_key, ARRAY(SELECT h.key || ' ' || (e->>'source_id')
      FROM jsonb_each(holds) h, jsonb_array_elements(h.value) e) || CASE WHEN is_whole THEN '{ENCOUNTER}'::text[] ELSE '{}' END, rank);
  IF ordered.taken IS NOT NULL AND is_whole THEN
    PERFORM auth.describe_citizen(citizen, arrived->'person', arrived->'told');
    IF ordered.is_new THEN
      RETURN book.file_new_visit(citizen, arrived, provenance);
    END IF;
    filed := book.file_encounter(citizen, arrived->'visit', provenance, 'ENCOUNTER' = ANY (ordered.taken) AND coalesce(ordered.ranks->>'VISIT', '') <= rank);
  ELSE
    SELECT v.id AS visit, 'UNCHANGED' AS change INTO filed FROM book.visit v
     WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = visit_key AND ordered.taken IS NOT NULL;
  END IF;
  IF filed.visit IS NULL THEN
    RETURN jsonb_build_array(jsonb_build_object('kind', 'VISIT', 'key', visit_key, 'change', 'WITHDRAWN'));
  END IF;
  IF arrived ? 'services' AND NOT ordered.ranks ? 'SERVICES' AND book.add_services(citizen, filed.visit, arrived->'services')
     AND filed.change = 'UNCHANGED' THEN
    filed.change := 'REPLACED';
  END IF;
  records := CASE WHEN is_whole OR filed.change <> 'UNCHANGED' THEN
    jsonb_build_array(jsonb_build_object('kind', 'VISIT', 'key', visit_key, 'change', filed.change)) ELSE '[]' END;
  newer := book.newer_records(ordered.ranks, rank);
  IF arrived ? 'referred' OR EXISTS (SELECT FROM jsonb_object_keys(ordered.ranks) r WHERE starts_with(r, 'RESULT ')) THEN
    holds := holds || jsonb_build_object('TEST_REPORT', book.whole_reports(citizen, filed.visit, arrived, ordered.ranks, ordered.taken, rank));
  END IF;
  FOREACH held IN ARRAY '{PRESCRIPTION,TEST_REPORT,DOCUMENT}'::text[] LOOP
    CONTINUE WHEN holds->held = '[]';
    part := book.part_of(held);
    IF ordered.ranks->>part > rank THEN  -- a newer whole table has told them, or left them out
      newer := newer || jsonb_build_object(held, (SELECT jsonb_agg(e->>'source_id') FROM jsonb_array_elements(holds->held) e));
    END IF;
    parts := CASE WHEN part IS NULL THEN ARRAY(SELECT DISTINCT e->>'kind' FROM jsonb_array_elements(holds->held) e) ELSE ARRAY[part] END;
    records := records || book.file_records(held, citizen, filed.visit, filed.change = 'ADDED', holds->held,
      provenance || jsonb_build_object('is_delta', true, 'newer', newer), parts, ordered.withdrawn);
  END LOOP;
  records := records || CASE WHEN arrived ? 'joins' THEN book.join_results(citizen, filed.visit, arrived, provenance) ELSE '[]' END;
  IF records @? '$[*].change ? (@ != "UNCHANGED" && @ != "OUTDATED")' THEN
    PERFORM book.classify(citizen, filed.visit, book.suspects(book.resting(citizen, filed.visit)), false);
    PERFORM book.tell_results(citizen, filed.visit, records);
    PERFORM book.follow_revisits(citizen, facility, visit_key);
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.file_delta FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_delta TO worker;
