-- owner: book_owner
-- Files one vaccination, imaging study, condition or allergy. `one` is made by app/records/filing.py: the row's columns,
-- `clinical` (its kind), `digest`, `reactions`, and `is_withdrawn` for one that its facility takes back.
CREATE OR REPLACE FUNCTION book.file_clinical_record(citizen uuid, one jsonb, provenance jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := one->>'clinical'; rank text := provenance->>'rank'; facility text := provenance->>'facility_code';
  resting text := book.clinical_table(kind); content jsonb := one - 'id' - 'digest' - 'clinical' - 'withdrawal';
  known record; newest text[]; change text; number int; own uuid; visit record; hidden boolean;
BEGIN
  EXECUTE format('SELECT r.id, r.version, r.digest, r.masked FROM book.%I r WHERE r.citizen_id = $1 AND r.facility_code = $2
    AND r.source_id = $3 FOR UPDATE', resting) INTO known USING citizen, facility, one->>'source_id';
  own := coalesce(known.id, (one->>'id')::uuid);
  SELECT o.withdrawals->>'VISIT' AS withdrawn, (SELECT v.masked FROM book.visit v WHERE v.citizen_id = citizen
      AND v.facility_code = facility AND v.source_id = one->>'visit_source_id') AS masked INTO visit
    FROM (VALUES (0)) here LEFT JOIN book.arrival_order o ON o.citizen_id = citizen AND o.facility_code = facility
     AND o.source_id = one->>'visit_source_id';
  IF NOT book.cancels(visit.withdrawn, rank) THEN
    newest := (book.take_parts(citizen, facility, kind || ' ' || (one->>'source_id'), '{RECORD}', rank)).taken;
    IF newest = '{}' THEN
      IF known.digest IS DISTINCT FROM (one->>'digest')::bytea THEN
        PERFORM book.keep_aside(citizen, own, kind, provenance, content);
      END IF;
      RETURN 'OUTDATED';
    ELSIF newest IS NOT NULL AND (one->>'is_withdrawn')::boolean THEN
      IF known.id IS NULL THEN
        RETURN 'UNCHANGED';
      END IF;
      PERFORM book.remove_clinical(citizen, kind, known.id, provenance, (one->>'id')::uuid, 'entered-in-error');
      RETURN 'WITHDRAWN';
    END IF;
  END IF;
  IF newest IS NULL THEN  -- it, or its visit, was withdrawn since
    PERFORM book.keep_aside(citizen, own, kind, provenance, content);
    RETURN 'WITHDRAWN';
  END IF;
  SELECT n.change, n.version INTO change, number
    FROM book.note_version(citizen, own, kind, known.digest, known.version, provenance, (one->>'digest')::bytea, content) n;
  IF change = 'UNCHANGED' THEN
    RETURN change;
  END IF;
  hidden := CASE WHEN known.id IS NULL THEN book.was_hidden(citizen, facility, kind || ' ' || (one->>'source_id'), 'RECORD') ELSE known.masked END
    OR coalesce(visit.masked, false);  -- what names a hidden visit is hidden, also when it did not name it before
  EXECUTE format('DELETE FROM book.%I r WHERE r.citizen_id = $1 AND r.id = $2', resting) USING citizen, own;
  EXECUTE format('INSERT INTO book.%1$I SELECT r.* FROM jsonb_populate_record(NULL::book.%1$I, $1) r', resting)
    USING one || provenance || jsonb_build_object('id', own, 'dose_id', own, 'citizen_id', citizen, 'version', number,
      'filed_at', now(), 'masked', hidden);
  IF one ? 'reactions' THEN
    EXECUTE format('INSERT INTO book.%1$s_reaction (citizen_id, %1$s_id, line, masked, description, reacted_at, severity)
      SELECT $1, $2, r.ordinality, $3, r.one->>''description'', (r.one->>''reacted_at'')::timestamptz, r.one->>''severity''
        FROM jsonb_array_elements($4) WITH ORDINALITY r(one)', resting)
      USING citizen, own, hidden, one->'reactions';
  END IF;
  PERFORM book.classify_clinical(citizen, resting, own);
  RETURN change;
END $$;
REVOKE ALL ON FUNCTION book.file_clinical_record FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_clinical_record TO worker;
