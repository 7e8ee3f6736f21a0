-- owner: book_owner
-- Takes results out of a record in which they were told alone, for a report that holds them; a hidden one hides the report.
CREATE OR REPLACE FUNCTION book.take_in(citizen uuid, visit uuid, asked jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE alone book.test_report; report book.test_report; content jsonb; its jsonb; rest jsonb; ranks jsonb; rank text;
BEGIN
  SELECT r.* INTO alone FROM book.test_report r WHERE r.citizen_id = citizen AND r.visit_id = visit AND r.source_id = asked->>'apart' FOR UPDATE;
  SELECT r.* INTO report FROM book.test_report r WHERE r.citizen_id = citizen AND r.visit_id = visit AND r.source_id = asked->>'report';
  IF alone.id IS NULL OR report.id IS NULL THEN
    RETURN '[]';
  END IF;
  ranks := (SELECT o.ranks FROM book.visit v JOIN book.arrival_order o USING (citizen_id, facility_code, source_id)
             WHERE v.citizen_id = citizen AND v.id = visit);
  rank := ranks->>('TEST_REPORT ' || alone.source_id);
  IF ranks->>('TEST_REPORT ' || report.source_id) > provenance->>'rank' THEN  -- a newer version of the report does without it
    RETURN '[]';
  END IF;
  content := (SELECT v.content FROM book.record_version v WHERE (v.citizen_id, v.record_id, v.version) = (citizen, alone.id, alone.version));
  SELECT jsonb_agg(l.line ORDER BY l.n) FILTER (WHERE l.is_its), jsonb_agg(l.line ORDER BY l.n) FILTER (WHERE NOT l.is_its) INTO its, rest
    FROM (SELECT l.line, l.n, asked->'lines' @> jsonb_build_array(jsonb_build_array(l.line->'code', l.line->'name')) AS is_its
            FROM jsonb_array_elements(content->'results') WITH ORDINALITY l (line, n)) l;
  IF its IS NULL THEN
    RETURN '[]';
  END IF;
  PERFORM book.amend_report(citizen, visit, report.source_id, CASE WHEN rest IS NULL THEN content ELSE content - 'description' END
    || jsonb_build_object('results', its), rank, provenance) WHERE rank > provenance->>'rank';
  IF (asked->>'is_referred')::boolean AND rank <= provenance->>'rank' THEN
    UPDATE book.arrival_order o SET ranks = o.ranks || (SELECT jsonb_object_agg(book.mark_of(report.source_id, l), rank) FROM jsonb_array_elements(its) l)
      FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit AND (o.citizen_id, o.facility_code, o.source_id) = (citizen, v.facility_code, v.source_id);
  END IF;
  IF alone.masked AND NOT report.masked THEN
    UPDATE book.test_report r SET masked = true WHERE r.citizen_id = citizen AND r.id = report.id;
    UPDATE book.test_result r SET masked = true WHERE r.citizen_id = citizen AND r.report_id = report.id;
  END IF;
  IF rest IS NOT NULL THEN
    PERFORM book.put_results(alone, book.with_results(rest, '[]'), alone.description, provenance);
    RETURN jsonb_build_array(jsonb_build_object('kind', 'TEST_REPORT', 'key', alone.source_id, 'change', 'REPLACED'));
  END IF;
  DELETE FROM book.test_report r WHERE r.citizen_id = citizen AND r.id = alone.id;
  INSERT INTO book.record_version VALUES (citizen, alone.id, alone.version + 1, 'TEST_REPORT', 'WITHDRAWN', provenance->>'facility_code',
    (provenance->>'message_id')::uuid, provenance->>'source_version', provenance->>'standard_version', now(), NULL);
  RETURN jsonb_build_array(jsonb_build_object('kind', 'TEST_REPORT', 'key', alone.source_id, 'change', 'WITHDRAWN'));
END $$;

-- Puts what was told alone where it stands, both ways. Returns what became of each record.
CREATE OR REPLACE FUNCTION book.join_results(citizen uuid, visit uuid, arrived jsonb, provenance jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked jsonb; records jsonb := '[]';
BEGIN
  FOR asked IN SELECT jsonb_array_elements(arrived->'joins') LOOP
    records := records || jsonb_build_object('kind', 'TEST_REPORT', 'key', asked->>'source_id',
      'change', book.amend_report(citizen, visit, asked->>'source_id', asked, provenance->>'rank', provenance));
  END LOOP;
  FOR asked IN SELECT jsonb_array_elements(arrived->'taken_in') LOOP
    records := records || book.take_in(citizen, visit, asked, provenance);
  END LOOP;
  RETURN records;
END $$;
REVOKE ALL ON FUNCTION book.take_in, book.join_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.take_in, book.join_results TO worker;
