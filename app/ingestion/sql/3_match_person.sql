-- owner: auth_owner
-- Finds or registers the person whom one visit of a message is about, and records it, so that open_filing may open that book. `person`
-- is made by app/ingestion/matching.py; its identifiers stand from the strongest to the weakest, each as blind index and sealed value.
-- Outcome: MATCHED, CREATED, or the reason why the visit must wait.
-- Nothing is joined by name, birth date or phone alone (security.md T6); a number with another name waits (B161), unless its person let go.
CREATE OR REPLACE FUNCTION auth.match_person(message uuid, visit_position int, facility text, visit_id text, person jsonb, OUT citizen uuid, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sent auth.citizen := jsonb_populate_record(NULL::auth.citizen, person);
  numbers auth.identifier[] := ARRAY(SELECT n FROM jsonb_populate_recordset(NULL::auth.identifier, person->'identifiers') n);
  number auth.identifier; owner uuid; owners uuid[] := '{}'; home uuid; born_at timestamptz := (person->>'born_at')::timestamptz;
  known auth.citizen; is_known boolean := true; is_news boolean := false; is_newborn boolean := false;
BEGIN
  -- Two messages about a new person take turns, and two about a new visit.
  PERFORM pg_advisory_xact_lock(l.key) FROM (
    SELECT 0 AS turn, n.lookup, hashtextextended(encode(n.lookup, 'hex'), 0) AS key FROM unnest(numbers) n
    UNION ALL SELECT 1, NULL, hashtextextended(facility || '|' || visit_id, 1)) l ORDER BY l.turn, l.lookup;
  home := auth.home_of(facility, visit_id);
  FOREACH number IN ARRAY numbers LOOP  -- one by one: the plan of a join, made while few are known, would read them all
    SELECT i.citizen_id INTO owner FROM auth.identifier i WHERE i.kind = number.kind AND i.lookup = number.lookup AND i.valid_until IS NULL;
    IF NOT FOUND THEN is_known := false; ELSIF owner <> ALL (owners) THEN owners := owners || owner; END IF;
  END LOOP;
  IF cardinality(owners) = 0 AND born_at IS NOT NULL THEN  -- a newborn without a number that is known
    owners := auth.newborns(facility, born_at, sent); is_newborn := true;
  END IF;
  IF cardinality(numbers) + cardinality(owners) = 0 THEN outcome := 'NO_IDENTIFIER'; RETURN;
  ELSIF cardinality(owners) > 1 THEN outcome := CASE WHEN is_newborn THEN 'TWINS_UNCLEAR' ELSE 'IDENTIFIERS_DISAGREE' END;
  ELSIF home <> coalesce(owners[1], sent.id) THEN outcome := 'VISIT_OF_ANOTHER_PERSON'; RETURN;  -- in whose book it stands
  ELSIF cardinality(owners) = 1 THEN
    SELECT c.* INTO STRICT known FROM auth.citizen c WHERE c.id = owners[1];
    outcome := coalesce(auth.person_differs(known, sent), CASE
      WHEN EXISTS (SELECT FROM auth.disowned_visit d WHERE (d.citizen_id, d.facility_code, d.source_id) = (known.id, facility, visit_id) AND d.undone_at IS NULL) THEN 'NOT_MINE'
      WHEN EXISTS (SELECT FROM unnest(numbers) n, LATERAL (SELECT i.* FROM auth.identifier i WHERE i.citizen_id = known.id AND i.kind = n.kind OFFSET 0) i
                    WHERE n.kind = 'PERSONAL_ID' AND i.valid_until IS NULL GROUP BY n.lookup HAVING NOT bool_or(i.lookup = n.lookup))
        THEN 'IDENTIFIERS_DISAGREE' ELSE 'MATCHED' END);
  ELSE outcome := 'CREATED'; END IF;
  IF outcome NOT IN ('MATCHED', 'CREATED') THEN
    IF outcome IN ('NAME_DIFFERS', 'BIRTH_DIFFERS', 'IDENTIFIERS_DISAGREE') AND (SELECT bool_or(auth.let_go(o)) FROM unnest(owners) o) THEN
      SELECT m.* INTO citizen, outcome FROM auth.match_person(message, visit_position, facility, visit_id, person) m;
    END IF; RETURN;
  ELSIF outcome = 'MATCHED' THEN citizen := known.id;
    IF known.birth_precision <> sent.birth_precision THEN
      UPDATE auth.citizen c SET birth_on = sent.birth_on, birth_precision = sent.birth_precision
       WHERE c.id = citizen AND (c.birth_precision, sent.birth_precision) IN (('YEAR', 'DAY'), ('YEAR', 'MINUTE'), ('DAY', 'MINUTE')); is_news := FOUND;
    END IF;
  ELSE
    citizen := sent.id; sent.registered_at := clock_timestamp();
    INSERT INTO auth.citizen SELECT sent.*; INSERT INTO auth.book (citizen_id, changed_at) VALUES (citizen, clock_timestamp());
  END IF;
  IF NOT is_known THEN
    INSERT INTO auth.identifier (id, citizen_id, kind, lookup, sealed, valid_from, source_message_id)
    SELECT n.id, citizen, n.kind, n.lookup, n.sealed, clock_timestamp(), message FROM unnest(numbers) n
        ON CONFLICT (kind, lookup) WHERE valid_until IS NULL DO NOTHING; is_news := is_news OR FOUND;
  END IF;
  IF is_news AND outcome = 'MATCHED' THEN UPDATE auth.book b SET version = b.version + 1, changed_at = clock_timestamp() WHERE b.citizen_id = citizen;
  END IF;  -- the book tells its owner's birth date and personal id
  INSERT INTO auth.filing AS f VALUES (message, visit_position, citizen, facility, visit_id) ON CONFLICT (message_id, "position") DO UPDATE SET citizen_id = excluded.citizen_id;
END $$;
REVOKE ALL ON FUNCTION auth.match_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.match_person TO worker;
