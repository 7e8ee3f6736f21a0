-- owner: book_owner
-- Appointments that a facility sends by themselves: the newest version of each is what care to come holds. `arrived` is made by
-- app/records/filing.py: source_id, is_live, starts_at, ends_at, department_code, practitioner_name, codes, words, id.
-- By which name one rests among those of its facility.
CREATE OR REPLACE FUNCTION book.appointment_source(source_id text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'appointment ' || encode(sha256(convert_to(source_id, 'UTF8')), 'hex')
$$;

-- Returns [{kind, key, change}]; one that is called off is WITHDRAWN.
CREATE OR REPLACE FUNCTION book.file_appointments(citizen uuid, arrived jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  facility text := provenance->>'facility_code'; rank text := provenance->>'rank';
  one jsonb; ordered record; source text; classes int; changed int; change text; records jsonb := '[]';
BEGIN
  FOR one IN SELECT jsonb_array_elements(arrived) LOOP
    ordered := book.take_parts(citizen, facility, 'APPOINTMENT ' || (one->>'source_id'), '{RECORD}', rank);
    IF ordered.taken = '{RECORD}' THEN
      source := book.appointment_source(one->>'source_id');
      classes := book.classes_of(ARRAY(SELECT jsonb_array_elements_text(one->'codes')), concat_ws(' ', one->>'words', one->>'codes'));
      changed := care.file_appointments(citizen, facility, source, 'FACILITY', CASE WHEN (one->>'is_live')::boolean THEN jsonb_build_array(one
        || jsonb_build_object('source_id', source || ' ', 'sensitive', classes, 'is_sensitive', classes <> 0)) ELSE '[]' END);
      change := CASE WHEN changed = 0 THEN 'UNCHANGED' WHEN NOT (one->>'is_live')::boolean THEN 'WITHDRAWN'
                     WHEN ordered.ranks ? 'RECORD' THEN 'REPLACED' ELSE 'ADDED' END;
    ELSE
      change := CASE WHEN ordered.taken IS NULL THEN 'WITHDRAWN' ELSE 'OUTDATED' END;
    END IF;
    records := records || jsonb_build_object('kind', 'APPOINTMENT', 'key', one->>'source_id', 'change', change);
  END LOOP;
  IF records @? '$[*].change ? (@ != "UNCHANGED" && @ != "OUTDATED")' THEN
    PERFORM auth.book_changed(citizen);
  END IF;
  RETURN records;
END $$;

-- Takes one back, whether or not it was filed yet: its versions that were made before stay away. `asked`: key, rank.
CREATE OR REPLACE FUNCTION book.withdraw_appointment(citizen uuid, asked jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := provenance->>'facility_code'; known text;
BEGIN
  INSERT INTO book.arrival_order AS o VALUES (citizen, facility, 'APPOINTMENT ' || (asked->>'key'), '{}', jsonb_build_object('VISIT', asked->>'rank'))
  ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE SET withdrawals = o.withdrawals || excluded.withdrawals
  RETURNING o.ranks->>'RECORD' INTO known;
  IF NOT book.cancels(asked->>'rank', known)
     OR care.file_appointments(citizen, facility, book.appointment_source(asked->>'key'), 'FACILITY', '[]') = 0 THEN
    RETURN '[]';
  END IF;
  PERFORM auth.book_changed(citizen);
  RETURN jsonb_build_array(jsonb_build_object('kind', 'APPOINTMENT', 'key', asked->>'key', 'change', 'WITHDRAWN'));
END $$;
REVOKE ALL ON FUNCTION book.appointment_source, book.file_appointments, book.withdraw_appointment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.appointment_source, book.file_appointments, book.withdraw_appointment TO worker;
