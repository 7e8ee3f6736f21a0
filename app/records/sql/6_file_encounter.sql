-- owner: book_owner
-- Files what an Encounter says of a visit: the columns that it tells, over those that rest; of a visit that is new the
-- rest is `defaults`. Lines (diagnoses, insurance) that it does not tell stay. The second half of the digest is the services'.
CREATE OR REPLACE FUNCTION book.file_encounter(citizen uuid, arrived jsonb, provenance jsonb, is_newest boolean,
                                               OUT visit uuid, OUT change text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known book.visit;
  filed book.visit;
  content jsonb := arrived - 'id' - 'digest' - 'defaults';
BEGIN
  SELECT v.* INTO known FROM book.visit v WHERE v.citizen_id = citizen AND v.facility_code = provenance->>'facility_code'
     AND v.source_id = arrived->>'source_id' FOR UPDATE;
  visit := coalesce(known.id, (arrived->>'id')::uuid);
  IF known.id IS NOT NULL AND NOT is_newest THEN
    PERFORM book.keep_aside(citizen, visit, 'VISIT', provenance, content);
    change := 'OUTDATED';
    RETURN;
  END IF;
  filed := CASE WHEN known.id IS NULL THEN jsonb_populate_record(NULL::book.visit, (arrived->'defaults') || content || provenance)
                ELSE jsonb_populate_record(known, content || provenance) END;
  filed.digest := (arrived->>'digest')::bytea || coalesce(substr(known.digest, 33), '');
  filed.id := visit; filed.citizen_id := citizen; filed.filed_at := now();
  filed.masked := CASE WHEN known.id IS NULL THEN book.was_hidden(citizen, filed.facility_code, filed.source_id, 'VISIT') ELSE known.masked END;
  SELECT n.change, n.version INTO change, filed.version FROM book.note_version(
    citizen, visit, 'VISIT', known.digest, known.version, provenance, filed.digest, content) n;
  IF change = 'ADDED' THEN
    INSERT INTO book.visit SELECT filed.*;
  ELSIF change = 'REPLACED' THEN
    PERFORM book.replace_visit(filed);
  END IF;
  IF change <> 'UNCHANGED' THEN
    PERFORM book.put_visit_lines(filed, arrived);
  END IF;
END $$;
REVOKE ALL ON FUNCTION book.file_encounter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_encounter TO worker;
