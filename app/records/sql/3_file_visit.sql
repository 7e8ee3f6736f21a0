-- owner: book_owner
-- Files the visit itself with its diagnoses, cards and services. `arrived` is made by app/records/filing.py: the row's
-- columns, `digest`, and `diagnoses`, `insurance`, `services` (absent: what was filed before stays). `taken` names the
-- parts that this message is the newest of: VISIT, SERVICES. The second half of a digest is that of the services.
DROP FUNCTION IF EXISTS book.file_visit(uuid, jsonb, jsonb);
CREATE OR REPLACE FUNCTION book.file_visit(citizen uuid, arrived jsonb, provenance jsonb, taken text[] DEFAULT '{VISIT,SERVICES}',
                                           OUT visit uuid, OUT change text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known book.visit;
  filed book.visit := jsonb_populate_record(NULL::book.visit, arrived || provenance);
  is_newest boolean := 'VISIT' = ANY (taken);
  own_half bytea := substr(filed.digest, 1, 32);
  services_half bytea := substr(filed.digest, 33);
BEGIN
  SELECT v.* INTO known FROM book.visit v
   WHERE v.citizen_id = citizen AND v.facility_code = filed.facility_code AND v.source_id = filed.source_id FOR UPDATE;
  visit := coalesce(known.id, filed.id);
  IF NOT (arrived ? 'services' AND 'SERVICES' = ANY (taken)) THEN
    services_half := coalesce(substr(known.digest, 33), '');
  END IF;
  IF known.id IS NOT NULL AND NOT is_newest THEN
    IF own_half <> substr(known.digest, 1, 32) THEN
      PERFORM book.keep_aside(citizen, visit, 'VISIT', provenance, arrived - 'id' - 'digest');
    END IF;
    own_half := substr(known.digest, 1, 32);
    change := 'OUTDATED';
    IF own_half || services_half = known.digest THEN
      RETURN;
    END IF;  -- else the services are newer
  END IF;
  filed.digest := own_half || services_half;
  filed.id := visit; filed.citizen_id := citizen; filed.filed_at := now();
  filed.masked := CASE WHEN known.id IS NULL THEN book.was_hidden(citizen, filed.facility_code, filed.source_id, 'VISIT') ELSE known.masked END;
  SELECT n.change, n.version INTO change, filed.version FROM book.note_version(
    citizen, visit, 'VISIT', known.digest, known.version, provenance, filed.digest, arrived - 'id' - 'digest') n;
  IF change = 'UNCHANGED' THEN
    RETURN;
  END IF;
  IF known.id IS NULL THEN
    INSERT INTO book.visit SELECT filed.*;
  ELSIF is_newest THEN
    PERFORM book.replace_visit(filed);
  ELSE
    UPDATE book.visit v SET digest = filed.digest, version = filed.version WHERE v.citizen_id = citizen AND v.id = visit;
  END IF;
  IF is_newest THEN
    PERFORM book.put_visit_lines(filed, arrived);
  END IF;
  IF arrived ? 'services' AND 'SERVICES' = ANY (taken) THEN
    IF filed.version > 1 THEN
      DELETE FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = visit;
    END IF;
    PERFORM book.put_services(citizen, visit, filed.masked, arrived->'services');
  END IF;
END $$;
REVOKE ALL ON FUNCTION book.file_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_visit TO worker;
