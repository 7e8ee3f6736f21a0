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

-- A record that goes while it is hidden is remembered by its key: sent again, it gets a new id and is hidden still. `mark`
-- is VISIT, "KIND key" of a record of a visit, or RECORD of one by itself.
CREATE OR REPLACE FUNCTION book.remember_hidden(citizen uuid, facility text, source text, mark text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO book.arrival_order AS o (citizen_id, facility_code, source_id, ranks, hidden) VALUES (citizen, facility, source, '{}', ARRAY[mark])
  ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE SET hidden = array_remove(o.hidden, mark) || mark
$$;
CREATE OR REPLACE FUNCTION book.was_hidden(citizen uuid, facility text, source text, mark text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE book.arrival_order o SET hidden = array_remove(o.hidden, mark)
   WHERE o.citizen_id = citizen AND o.facility_code = facility AND o.source_id = source AND mark = ANY (o.hidden);
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION book.cancels, book.take_parts, book.remember_hidden, book.was_hidden FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.cancels, book.take_parts, book.remember_hidden, book.was_hidden TO worker;
