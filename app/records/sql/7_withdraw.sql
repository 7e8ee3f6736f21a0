-- owner: book_owner
-- Withdraws what a facility sent in error: every version that was made before the withdrawal (book.cancels). What was shown
-- is removed from view and ends with an empty version; the citizen sees that it was withdrawn, and why.
-- `asked`: id, source_id, kind, key, rank, reason. Returns the records as [{kind, key, change}], empty when none was shown.
CREATE OR REPLACE FUNCTION book.withdraw(citizen uuid, asked jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facility text := provenance->>'facility_code';
  source text := asked->>'source_id';
  kind text := asked->>'kind';
  mark text := CASE kind WHEN 'VISIT' THEN 'VISIT' ELSE kind || ' ' || (asked->>'key') END;
  shown book.visit;
  known jsonb := (SELECT o.ranks FROM book.arrival_order o
                   WHERE o.citizen_id = citizen AND o.facility_code = facility AND o.source_id = source);
  gone text[]; changes jsonb := '{}';
  clinical jsonb := '[]'; hidden record;
BEGIN
  SELECT v.* INTO shown FROM book.visit v WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = source FOR UPDATE;
  gone := ARRAY(SELECT r.key FROM jsonb_each_text(coalesce(known, '{"VISIT": "", "SERVICES": "", "PRESCRIPTIONS": "", "REPORTS": ""}')) r WHERE book.cancels(asked->>'rank', r.value));
  INSERT INTO book.arrival_order AS o VALUES (citizen, facility, source, '{}', jsonb_build_object(mark, asked->>'rank'))
  ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE
    SET withdrawals = o.withdrawals || excluded.withdrawals, ranks = CASE kind WHEN 'VISIT' THEN o.ranks - gone ELSE o.ranks END;
  IF kind = 'VISIT' THEN
    clinical := book.withdraw_clinical_of(citizen, source, asked->>'rank', provenance);
  END IF;
  IF shown.id IS NULL THEN
    IF clinical <> '[]' THEN
      PERFORM auth.book_changed(citizen);
    END IF;
    RETURN clinical;
  END IF;
  asked := asked || jsonb_build_object('ranks', coalesce(known, '{}'));
  EXECUTE format('SELECT coalesce(bool_or(r.masked), false) AS masked, coalesce(bit_or(r.sensitive), 0) AS sensitive FROM %s r
      WHERE r.citizen_id = $1 AND r.visit_id = $2 AND r.source_id = $3', coalesce(book.resting_place(kind), 'book.document'::regclass)) INTO hidden USING citizen, shown.id, asked->>'key';
  changes := jsonb_build_object(
    'PRESCRIPTION', book.withdraw_cancelled('PRESCRIPTION', citizen, shown.id, gone, asked, provenance),
    'TEST_REPORT', book.withdraw_cancelled('TEST_REPORT', citizen, shown.id, gone, asked, provenance),
    'DOCUMENT', book.withdraw_cancelled('DOCUMENT', citizen, shown.id, gone, asked, provenance));
  IF kind = 'VISIT' AND gone && '{VISIT,ENCOUNTER}' AND NOT coalesce(known - gone, '{}') ?| '{VISIT,ENCOUNTER}' THEN
    changes := changes || jsonb_build_object('VISIT', jsonb_build_object(source, 'WITHDRAWN'));
    INSERT INTO book.record_version VALUES (citizen, shown.id, shown.version + 1, 'VISIT', 'WITHDRAWN', facility,
      (provenance->>'message_id')::uuid, provenance->>'source_version', provenance->>'standard_version', now(), NULL);
    PERFORM book.remember_hidden(citizen, facility, source, 'VISIT') WHERE shown.masked;
    DELETE FROM book.visit v WHERE v.citizen_id = citizen AND v.id = shown.id;
  ELSIF kind = 'VISIT' AND 'SERVICES' = ANY (gone) THEN
    changes := changes || jsonb_build_object('VISIT', jsonb_build_object(source, 'REPLACED'));
    UPDATE book.visit v SET digest = substr(v.digest, 1, 32) WHERE v.citizen_id = citizen AND v.id = shown.id;
    DELETE FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = shown.id;
  END IF;
  IF changes @? '$.*.*' OR clinical <> '[]' THEN
    INSERT INTO book.withdrawal VALUES (citizen, (asked->>'id')::uuid, facility, source, kind, shown.started_at, now(),
      asked->>'reason', shown.masked OR hidden.masked, shown.sensitive | hidden.sensitive);
    PERFORM book.follow_revisits(citizen, facility, source);
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN clinical || (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', k.key, 'key', c.key, 'change', c.value)), '[]')
                        FROM jsonb_each(changes) k, jsonb_each_text(k.value) c);
END $$;
REVOKE ALL ON FUNCTION book.withdraw FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.withdraw TO worker;
