-- owner: book_owner
-- Vaccinations, imaging studies, conditions and allergies: each is a record by itself, ordered and withdrawn by its own key.
CREATE OR REPLACE FUNCTION book.clinical_table(kind text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE kind WHEN 'VACCINATION' THEN 'vaccination' WHEN 'IMAGING' THEN 'imaging_study'
                   WHEN 'CONDITION' THEN 'condition' WHEN 'ALLERGY' THEN 'allergy' END
$$;

-- Removes one from view and ends its versions; with a reason the citizen is told that it was withdrawn.
CREATE OR REPLACE FUNCTION book.remove_clinical(citizen uuid, kind text, record uuid, provenance jsonb, withdrawal uuid, reason text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE gone record;
BEGIN
  EXECUTE format('DELETE FROM book.%I r WHERE r.citizen_id = $1 AND r.id = $2 RETURNING r.version, r.source_id, r.masked, r.sensitive, r.%I AS dated_at',
    book.clinical_table(kind), CASE kind WHEN 'VACCINATION' THEN 'injected_at' WHEN 'IMAGING' THEN 'started_at' ELSE 'recorded_at' END)
    INTO STRICT gone USING citizen, record;
  INSERT INTO book.record_version VALUES (citizen, record, gone.version + 1, kind, 'WITHDRAWN', provenance->>'facility_code',
    (provenance->>'message_id')::uuid, provenance->>'source_version', provenance->>'standard_version', now(), NULL);
  PERFORM book.remember_hidden(citizen, provenance->>'facility_code', kind || ' ' || gone.source_id, 'RECORD') WHERE gone.masked;
  IF reason IS NOT NULL THEN
    INSERT INTO book.withdrawal VALUES (citizen, withdrawal, provenance->>'facility_code', gone.source_id, kind, gone.dated_at,
      now(), reason, gone.masked, gone.sensitive);
  END IF;
END $$;

-- Removes what a withdrawn visit had with it, as far as the withdrawal cancels it. Returns [{kind, key, change}].
CREATE OR REPLACE FUNCTION book.withdraw_clinical_of(citizen uuid, visit text, rank text, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE kind text; one record; records jsonb := '[]';
BEGIN
  FOREACH kind IN ARRAY ARRAY['VACCINATION', 'IMAGING', 'CONDITION', 'ALLERGY'] LOOP
    FOR one IN EXECUTE format('SELECT r.id, r.source_id FROM book.%I r JOIN book.arrival_order o
        ON o.citizen_id = r.citizen_id AND o.facility_code = r.facility_code AND o.source_id = $4 || '' '' || r.source_id
        WHERE r.citizen_id = $1 AND r.facility_code = $2 AND r.visit_source_id = $3 AND book.cancels($5, o.ranks->>''RECORD'')',
        book.clinical_table(kind)) USING citizen, provenance->>'facility_code', visit, kind, rank LOOP
      PERFORM book.remove_clinical(citizen, kind, one.id, provenance, NULL, NULL);
      records := records || jsonb_build_object('kind', kind, 'key', one.source_id, 'change', 'WITHDRAWN');
    END LOOP;
  END LOOP;
  IF records @? '$[*] ? (@.kind == "VACCINATION")' THEN
    PERFORM book.gather_doses(citizen);
  END IF;
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.clinical_table, book.remove_clinical, book.withdraw_clinical_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.clinical_table, book.remove_clinical, book.withdraw_clinical_of TO worker;
