-- owner: book_owner
-- Decides what a record that arrived does to the book and writes its version: ADDED, REPLACED or UNCHANGED.
-- `known_*` describe the record as it rests (NULL when it is new). Runs as its caller, under the caller's policies.
CREATE OR REPLACE FUNCTION book.note_version(citizen uuid, record uuid, kind text, known_digest bytea, known_version int,
                                             provenance jsonb, digest bytea, content jsonb, OUT change text, OUT version int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  change := CASE WHEN known_version IS NULL THEN 'ADDED' WHEN known_digest = digest THEN 'UNCHANGED' ELSE 'REPLACED' END;
  version := coalesce(known_version, 0) + (change <> 'UNCHANGED')::int;
  IF change <> 'UNCHANGED' THEN
    INSERT INTO book.record_version VALUES (citizen, record, version, kind, change, provenance->>'facility_code',
      (provenance->>'message_id')::uuid, provenance->>'source_version', provenance->>'standard_version', now(), content);
  END IF;
END $$;
REVOKE ALL ON FUNCTION book.note_version FROM PUBLIC;

CREATE OR REPLACE FUNCTION book.resting_place(kind text) RETURNS regclass
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE kind WHEN 'PRESCRIPTION' THEN 'book.prescription' WHEN 'TEST_REPORT' THEN 'book.test_report'
                   WHEN 'DOCUMENT' THEN 'book.document' END::regclass
$$;
REVOKE ALL ON FUNCTION book.resting_place FROM PUBLIC;

DROP FUNCTION IF EXISTS book.of_a_new_visit(uuid, uuid, boolean, jsonb), book.of_a_new_visit(uuid, uuid, jsonb), book.note_first_versions(uuid, text, jsonb, jsonb);

-- Removes the records of one kind of a visit that a corrected message no longer holds; their versions stay.
CREATE OR REPLACE FUNCTION book.withdraw_missing(citizen uuid, visit uuid, kind text, kept text[], provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed record;
  withdrawn jsonb := '{}';
  resting regclass := book.resting_place(kind);
BEGIN
  IF provenance ? 'is_delta' THEN RETURN withdrawn; END IF;  -- it tells of single records: what it does not hold stays
  kept := kept || ARRAY(SELECT jsonb_array_elements_text(provenance->'newer'->kind));
  FOR removed IN EXECUTE format('DELETE FROM %s r WHERE r.citizen_id = $1 AND r.visit_id = $2
      AND r.source_id <> ALL ($3) RETURNING r.id, r.version, r.source_id, r.masked', resting) USING citizen, visit, kept LOOP
    INSERT INTO book.record_version VALUES (citizen, removed.id, removed.version + 1, kind, 'WITHDRAWN',
      provenance->>'facility_code', (provenance->>'message_id')::uuid, provenance->>'source_version',
      provenance->>'standard_version', now(), NULL);
    PERFORM book.remember_hidden(citizen, v.facility_code, v.source_id, kind || ' ' || removed.source_id)
       FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit AND removed.masked;
    withdrawn := withdrawn || jsonb_build_object(removed.source_id, 'WITHDRAWN');
  END LOOP;
  RETURN withdrawn;
END $$;
REVOKE ALL ON FUNCTION book.withdraw_missing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.note_version, book.resting_place, book.withdraw_missing TO worker;
