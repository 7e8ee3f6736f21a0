-- owner: book_owner
-- Files the records of one kind of one visit: those of the newest version, but for single ones that were withdrawn since;
-- an older version is kept aside. `parts` are those that the message is the newest of: with none, all is too late.
CREATE OR REPLACE FUNCTION book.file_records(kind text, citizen uuid, visit uuid, is_new boolean, arrived jsonb, provenance jsonb,
                                             parts text[], withdrawn jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  late jsonb := '[]';
  gone jsonb := '{}';
  changes jsonb := '{}';
  same jsonb := '{}';
BEGIN
  IF withdrawn <> '{}' THEN
    gone := (SELECT coalesce(jsonb_object_agg(e->>'source_id', 'WITHDRAWN'), '{}') FROM jsonb_array_elements(arrived) e
              WHERE book.cancels(withdrawn->>(kind || ' ' || (e->>'source_id')), provenance->>'rank'));
    arrived := (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(arrived) e WHERE NOT gone ? (e->>'source_id'));
  END IF;
  IF kind = 'PRESCRIPTION' AND NOT is_new THEN
    same := book.same_prescriptions(citizen, visit, arrived, provenance);
    arrived := (SELECT coalesce(jsonb_agg(e || coalesce((SELECT jsonb_build_object('source_id', s.key) FROM jsonb_each_text(same) s
                                                          WHERE s.value = e->>'source_id' LIMIT 1), '{}')), '[]')
                  FROM jsonb_array_elements(arrived) e);
  END IF;
  IF kind = 'DOCUMENT' THEN
    late := (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(arrived) e WHERE e->>'kind' <> ALL (parts));
    arrived := (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(arrived) e WHERE e->>'kind' = ANY (parts));
  ELSIF cardinality(parts) = 0 THEN
    late := arrived;
  END IF;
  IF provenance->'newer'->kind <> '[]' THEN  -- told by a newer message already, one by one
    late := late || (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(arrived) e WHERE provenance->'newer'->kind ? (e->>'source_id'));
    arrived := (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(arrived) e WHERE NOT provenance->'newer'->kind ? (e->>'source_id'));
  END IF;
  IF cardinality(parts) > 0 THEN
    changes := CASE kind
      WHEN 'PRESCRIPTION' THEN book.file_prescriptions(citizen, visit, arrived, provenance)
      WHEN 'TEST_REPORT' THEN book.file_reports(citizen, visit, arrived, provenance)
      ELSE book.file_documents(citizen, visit, parts, arrived, provenance) END;
  END IF;
  IF late <> '[]' THEN
    changes := changes || book.keep_all_aside(citizen, visit, kind, late, provenance);
  END IF;
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', file_records.kind, 'key', coalesce(same->>c.key, c.key), 'change', c.value)), '[]')
            FROM jsonb_each_text(gone || changes) c);
END $$;

-- The share that insurance pays at a visit: the highest of its lines.
CREATE OR REPLACE FUNCTION book.highest_benefit(citizen uuid, visit uuid) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT greatest(
    (SELECT max(s.benefit_percent) FROM book.visit_service s WHERE s.citizen_id = citizen AND s.visit_id = visit),
    (SELECT max(i.benefit_percent) FROM book.prescription p
       JOIN book.prescription_item i ON i.citizen_id = citizen AND i.prescription_id = p.id
      WHERE p.citizen_id = citizen AND p.visit_id = visit))
$$;
REVOKE ALL ON FUNCTION book.file_records, book.highest_benefit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.file_records, book.highest_benefit TO worker;
