-- owner: book_owner
-- Versions may come in any order: for each part of a visit the newest one is shown, an older one that comes late is kept
-- aside. Which is newer, a rank tells (app/records/filing.py): day and time of making, paid or not, moment of receipt.
-- Tells whether a withdrawal cancels a version: one that was made before, or on the same day and received before.
CREATE OR REPLACE FUNCTION book.cancels(withdrawal text, version text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((left(withdrawal, 8), substr(withdrawal, 14)) > (left(version, 8), substr(version, 14)), false)
$$;

-- Returns the parts that this version is the newest of, and remembers it; NULL when the visit was withdrawn since. `ranks`
-- are those before it. `is_new`: neither rests it, nor did anything tell of it.
DROP FUNCTION IF EXISTS book.take_parts(uuid, text, text, text[], text);
CREATE OR REPLACE FUNCTION book.take_parts(citizen uuid, facility text, source text, sent text[], rank text,
                                           OUT taken text[], OUT withdrawn jsonb, OUT ranks jsonb, OUT is_new boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE known book.arrival_order;
BEGIN
  INSERT INTO book.arrival_order (citizen_id, facility_code, source_id, ranks)
  SELECT citizen, facility, source, coalesce(jsonb_object_agg(p, rank), '{}') FROM unnest(sent) p
  HAVING NOT EXISTS (SELECT FROM book.visit v WHERE v.citizen_id = citizen AND v.facility_code = facility AND v.source_id = source)
      ON CONFLICT DO NOTHING;
  is_new := FOUND;
  IF is_new THEN
    taken := sent; withdrawn := '{}'; ranks := '{}';
    RETURN;
  END IF;
  SELECT o.* INTO known FROM book.arrival_order o
   WHERE o.citizen_id = citizen AND o.facility_code = facility AND o.source_id = source;
  withdrawn := coalesce(known.withdrawals, '{}');
  ranks := coalesce(known.ranks, '{}');
  IF book.cancels(withdrawn->>'VISIT', rank) THEN
    RETURN;
  END IF;
  taken := ARRAY(SELECT p FROM unnest(sent) p WHERE coalesce(known.ranks->>p, '') <= rank);
  INSERT INTO book.arrival_order AS o (citizen_id, facility_code, source_id, ranks)
  VALUES (citizen, facility, source, (SELECT coalesce(jsonb_object_agg(p, rank), '{}') FROM unnest(taken) p))
  ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE SET ranks = o.ranks || excluded.ranks;
END $$;

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
REVOKE ALL ON FUNCTION book.cancels, book.take_parts, book.keep_aside, book.keep_all_aside FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.cancels, book.take_parts, book.keep_aside, book.keep_all_aside TO worker;
