-- owner: book_owner
-- Keeps a version that is not shown, under a number below those that were, once a message.
CREATE OR REPLACE FUNCTION book.keep_aside(citizen uuid, record uuid, kind text, provenance jsonb, content jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO book.record_version
  SELECT citizen, record, coalesce(min(v.version), 1) - 1, keep_aside.kind, 'OUTDATED', provenance->>'facility_code',
    (provenance->>'message_id')::uuid, provenance->>'source_version', provenance->>'standard_version', now(), keep_aside.content
    FROM book.record_version v WHERE v.citizen_id = citizen AND v.record_id = record
  HAVING count(*) FILTER (WHERE v.message_id = (provenance->>'message_id')::uuid) = 0
$$;

-- The same for all records of one kind that came too late, but for those that equal what is shown.
CREATE OR REPLACE FUNCTION book.keep_all_aside(citizen uuid, visit uuid, kind text, arrived jsonb, provenance jsonb, OUT changes jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE one jsonb; shown record;
BEGIN
  changes := '{}';
  FOR one IN SELECT jsonb_array_elements(arrived) LOOP
    EXECUTE format('SELECT r.id, r.digest FROM %s r WHERE r.citizen_id = $1 AND r.visit_id = $2 AND r.source_id = $3',
      book.resting_place(kind)) INTO shown USING citizen, visit, one->>'source_id';
    IF shown.digest IS NULL OR shown.digest <> (one->>'digest')::bytea THEN
      PERFORM book.keep_aside(citizen, coalesce(shown.id, (one->>'id')::uuid), kind, provenance, one - 'id' - 'digest');
    END IF;
    changes := changes || jsonb_build_object(one->>'source_id', 'OUTDATED');
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.keep_aside, book.keep_all_aside FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.keep_aside, book.keep_all_aside TO worker;
