-- owner: book_owner
-- Files records that need no visit, in one round trip, and tells readers when the book changed. Returns [{kind, key, change}].
CREATE OR REPLACE FUNCTION book.file_clinical(citizen uuid, arrived jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE one jsonb; records jsonb := '[]'; change text; doses_changed boolean := false;
BEGIN
  FOR one IN SELECT jsonb_array_elements(arrived) LOOP
    change := book.file_clinical_record(citizen, one, provenance);
    records := records || jsonb_build_object('kind', one->>'clinical', 'key', one->>'source_id', 'change', change);
    doses_changed := doses_changed OR (one->>'clinical' = 'VACCINATION' AND change NOT IN ('UNCHANGED', 'OUTDATED'));
  END LOOP;
  IF doses_changed THEN
    PERFORM book.gather_doses(citizen);
  END IF;
  IF records @? '$[*].change ? (@ != "UNCHANGED" && @ != "OUTDATED")' THEN
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN records;
END $$;

-- Withdraws one of them, whether or not it was filed yet. `asked`: id, kind, key, rank, reason.
CREATE OR REPLACE FUNCTION book.withdraw_clinical(citizen uuid, asked jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := asked->>'kind'; facility text := provenance->>'facility_code'; shown uuid; known text;
BEGIN
  INSERT INTO book.arrival_order AS o VALUES (citizen, facility, kind || ' ' || (asked->>'key'), '{}', jsonb_build_object('VISIT', asked->>'rank'))
  ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE SET withdrawals = o.withdrawals || excluded.withdrawals
  RETURNING o.ranks->>'RECORD' INTO known;
  EXECUTE format('SELECT r.id FROM book.%I r WHERE r.citizen_id = $1 AND r.facility_code = $2 AND r.source_id = $3 FOR UPDATE',
    book.clinical_table(kind)) INTO shown USING citizen, facility, asked->>'key';
  IF shown IS NULL OR NOT book.cancels(asked->>'rank', known) THEN
    RETURN '[]';
  END IF;
  PERFORM book.remove_clinical(citizen, kind, shown, provenance, (asked->>'id')::uuid, asked->>'reason');
  IF kind = 'VACCINATION' THEN
    PERFORM book.gather_doses(citizen);
  END IF;
  PERFORM auth.book_changed(citizen);
  RETURN jsonb_build_array(jsonb_build_object('kind', kind, 'key', asked->>'key', 'change', 'WITHDRAWN'));
END $$;
REVOKE ALL ON FUNCTION book.file_clinical, book.withdraw_clinical FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_clinical, book.withdraw_clinical TO worker;
