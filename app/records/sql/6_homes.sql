-- owner: book_owner
-- Under which facility and id each of these is to be filed, and why: OWN (as it was sent), SAME (a new version of a record that rests),
-- UNCLEAR (it may be one that rests), UNDONE (the change by which it was one was undone). With `is_final` what is SAME is written down.
CREATE OR REPLACE FUNCTION book.homes(citizen uuid, facility text, message uuid, asked jsonb, is_final boolean) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE one jsonb; known auth.resent; free int; doubtful int; outcome text; here boolean; homes jsonb := '[]';
BEGIN
  FOR one IN SELECT jsonb_array_elements(asked) LOOP
    known := auth.resent_as(citizen, one->>'kind', facility, one->>'source_id');
    IF known.record_id IS NOT NULL THEN
      outcome := CASE WHEN known.undone_at IS NULL THEN 'SAME' ELSE 'UNDONE' END;
    ELSE
      EXECUTE format('SELECT EXISTS (SELECT FROM %s r WHERE r.citizen_id = $1 AND r.facility_code = $2 AND r.source_id = $3)',
        coalesce('book.' || book.clinical_table(one->>'kind'), book.resting_place(one->>'kind')::text, 'book.visit')) INTO here USING citizen, facility, one->>'source_id';
      SELECT count(*) FILTER (WHERE c.is_same AND NOT c.is_taken), count(*) FILTER (WHERE c.is_same OR NOT c.is_taken) INTO free, doubtful
        FROM book.candidates(citizen, facility, one) c WHERE NOT here;
      outcome := CASE WHEN here OR doubtful = 0 THEN 'OWN' WHEN free = 1 OR (free > 1 AND one->>'kind' = 'DOCUMENT') THEN 'SAME' ELSE 'UNCLEAR' END;
      IF outcome = 'SAME' THEN
        known.citizen_id := citizen; known.kind := one->>'kind'; known.facility_code := facility; known.source_id := one->>'source_id';
        SELECT c.record, c.home_facility, c.home_source, c.change INTO known.record_id, known.home_facility_code, known.home_source_id, known.change_id
          FROM book.candidates(citizen, facility, one) c WHERE c.is_same AND NOT c.is_taken ORDER BY c.home_facility, c.home_source LIMIT 1;
      END IF;
    END IF;
    IF outcome = 'SAME' AND is_final THEN
      PERFORM auth.note_resent(known, message);
    END IF;
    homes := homes || jsonb_build_object('outcome', outcome, 'facility', CASE outcome WHEN 'SAME' THEN known.home_facility_code ELSE facility END,
      'source', CASE outcome WHEN 'SAME' THEN known.home_source_id ELSE one->>'source_id' END);
  END LOOP;
  RETURN homes;
END $$;

-- Forgets the order of a record's versions, but not what its citizen hid.
CREATE OR REPLACE FUNCTION book.forget_order(citizen uuid, facility text, source text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM book.arrival_order o WHERE o.citizen_id = citizen AND o.facility_code = facility AND o.source_id = source AND o.hidden = '{}';
  UPDATE book.arrival_order o SET ranks = '{}', withdrawals = '{}' WHERE o.citizen_id = citizen AND o.facility_code = facility AND o.source_id = source;
$$;

-- Takes out of a book what only messages of an undone change brought to a record, and forgets the order of its versions: then the
-- messages before them are filed again, over what rests, which keeps its id and its mask.
CREATE OR REPLACE FUNCTION book.part_resent(citizen uuid, record_kind text, facility text, source text, messages uuid[], provenance jsonb) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE kind text; n int; gone int := 0; visit uuid := (SELECT v.id FROM book.visit v WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = source AND record_kind = 'VISIT');
BEGIN
  PERFORM book.forget_order(citizen, facility, CASE record_kind WHEN 'VISIT' THEN source ELSE record_kind || ' ' || source END);
  FOREACH kind IN ARRAY ARRAY['PRESCRIPTION', 'TEST_REPORT', 'DOCUMENT'] LOOP
    EXECUTE format('WITH gone AS (DELETE FROM %s r WHERE r.citizen_id = $1 AND r.visit_id = $2 AND r.version = 1 AND r.message_id = ANY ($3) RETURNING r.id)
      INSERT INTO book.record_version SELECT $1, g.id, 2, $4, ''WITHDRAWN'', $5->>''facility_code'', ($5->>''message_id'')::uuid,
        $5->>''source_version'', $5->>''standard_version'', now(), NULL FROM gone g', book.resting_place(kind)) USING citizen, visit, messages, kind, provenance;
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
  END LOOP;
  PERFORM auth.book_changed(citizen);
  RETURN gone;
END $$;
REVOKE ALL ON FUNCTION book.homes, book.forget_order, book.part_resent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.homes, book.forget_order, book.part_resent TO worker;
