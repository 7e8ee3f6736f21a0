-- owner: auth_owner
-- What messages wait for that were kept and not filed: numbers of people, and names of resources that their facility has not sent
-- yet (FHIR), as blind indexes. When what is known of them changes, the messages are taken up again by themselves.
DO $$
BEGIN
  ALTER TABLE intake.waiting ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON intake.waiting;
  CREATE POLICY deciding ON intake.waiting TO auth_owner USING (true) WITH CHECK (true);
END $$;

CREATE OR REPLACE FUNCTION intake.wait_for(message uuid, lookups bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO intake.waiting (lookup, message_id)
  SELECT DISTINCT l, m.id FROM intake.message m, unnest(lookups) l WHERE m.id = message ON CONFLICT DO NOTHING
$$;

-- What told a Patient, and waits, is not taken up any more once its facility has told or deleted that Patient again. Who a waiting message
-- tells, it notes as the hash of the name's index.
CREATE OR REPLACE FUNCTION intake.supersede(message uuid, told bytea[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM intake.waiting w USING intake.message now, intake.message m, intake.waiting o
   WHERE now.id = message AND o.lookup IN (SELECT sha256(l) FROM unnest(told) l) AND m.id = o.message_id AND m.facility_code = now.facility_code
     AND (m.received_at, m.id) < (now.received_at, now.id) AND w.message_id = m.id
$$;

-- A message tells Patients and Encounters (`told`) and names some that are not in it (`asked`). Those of one facility that tell and name
-- the same take turns, so that none waits for what is being filed. What is asked for and not known is waited for.
CREATE OR REPLACE FUNCTION intake.await_names(message uuid, told bytea[], asked bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (SELECT m.facility_code FROM intake.message m WHERE m.id = message);
BEGIN
  PERFORM pg_advisory_xact_lock(s.key) FROM (  -- of few stripes: a large message does not take a lock for each of its names
    SELECT DISTINCT hashtextextended(facility || ' ' || (get_byte(l, 0) % 32), 5) AS key FROM unnest(told || asked) l ORDER BY 1) s;
  PERFORM intake.supersede(message, told);
  PERFORM intake.wait_for(message, ARRAY(SELECT l FROM unnest(asked) l
    WHERE NOT EXISTS (SELECT FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = l)));
END $$;

-- Takes up again what waits for one of these; of one facility, where one is named.
CREATE OR REPLACE FUNCTION intake.take_up(lookups bytea[], facility text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE waiting uuid;
BEGIN
  FOR waiting IN SELECT m.id FROM (SELECT DISTINCT w.message_id FROM intake.waiting w WHERE w.lookup = ANY (lookups)) w, LATERAL (
      SELECT o.id, o.received_at FROM intake.message o WHERE o.id = w.message_id AND o.status IN ('quarantined', 'partly')
         AND (facility IS NULL OR o.facility_code = facility) OFFSET 0) m ORDER BY m.received_at, m.id LOOP
    PERFORM intake.replay_message(waiting);
    DELETE FROM intake.waiting w WHERE w.message_id = waiting;
  END LOOP;
END $$;

-- Takes up again what waits for a number that names, or has named, one of these people.
CREATE OR REPLACE FUNCTION auth.take_up_of(citizens uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT intake.take_up(ARRAY(SELECT i.lookup FROM auth.identifier i WHERE i.citizen_id = ANY (citizens)), NULL)
$$;

-- After a visit left a person's book: takes up what waits for a number of theirs. What told that visit before it was taken back is
-- taken back with it, and waits no more.
CREATE OR REPLACE FUNCTION auth.take_up_after(asked intake.message, citizen uuid, visit text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM intake.waiting w USING intake.message m
   WHERE m.id = w.message_id AND m.facility_code = asked.facility_code AND m.received_at < asked.received_at
     AND jsonb_path_exists(m.verdict, '$.visits[*] ? (@.visit == $visit)', jsonb_build_object('visit', visit));
  SELECT auth.take_up_of(ARRAY[citizen])
$$;

-- That somebody was registered at a facility stands for nothing more; records stay.
CREATE OR REPLACE FUNCTION auth.unregister(facility text, people uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE auth.filing f SET withdrawn_at = clock_timestamp()
   WHERE f.citizen_id = ANY (people) AND f.facility_code = facility AND f.source_id LIKE 'PERSON %' AND f.withdrawn_at IS NULL;
  PERFORM auth.take_up_of(people);
END $$;

-- A facility tells a Patient as somebody else than before: with another name or birth date, a number of another person, or other numbers
-- alone. Its names mean nobody until the message has found who it is, and what only refers to that Patient waits for that. Of its names
-- those by id (`ids`) are the Patient's own: a number may have been written for the wrong one now, and not before.
CREATE OR REPLACE FUNCTION auth.forget_patient(message uuid, names bytea[], ids bytea[], told jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (SELECT m.facility_code FROM intake.message m WHERE m.id = message); others uuid[]; own uuid[];
  numbers auth.identifier[] := ARRAY(SELECT n FROM jsonb_populate_recordset(NULL::auth.identifier, told->'identifiers') n);
BEGIN
  others := ARRAY(SELECT DISTINCT c.id FROM intake.sent_resource r JOIN auth.citizen c ON c.id = r.citizen_id
     WHERE r.facility_code = facility AND r.lookup = ANY (names) AND r.kind = 'PATIENT' AND (
       auth.person_differs(c, jsonb_populate_record(NULL::auth.citizen, told)) IS NOT NULL
       OR EXISTS (SELECT FROM unnest(numbers) n JOIN auth.identifier i ON i.kind = n.kind AND i.lookup = n.lookup AND i.valid_until IS NULL
                   WHERE i.citizen_id <> c.id)
       OR cardinality(numbers) > 0 AND NOT EXISTS (SELECT FROM unnest(numbers) n JOIN auth.identifier i ON i.kind = n.kind AND i.lookup = n.lookup
                   WHERE i.citizen_id = c.id AND i.valid_until IS NULL)));
  own := ARRAY(SELECT r.citizen_id FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = ANY (ids) AND r.citizen_id = ANY (others));
  DELETE FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = ANY (names) AND r.kind = 'PATIENT' AND r.citizen_id = ANY (others);
  IF cardinality(own) > 0 THEN
    PERFORM auth.unregister(facility, own);
  END IF;
END $$;

-- A facility deletes a Patient: the name means nobody from now on. False: it meant nobody.
CREATE OR REPLACE FUNCTION auth.drop_patient(message uuid, names bytea[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (SELECT m.facility_code FROM intake.message m WHERE m.id = message); dropped uuid[];
BEGIN
  dropped := ARRAY(SELECT r.citizen_id FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = ANY (names) AND r.kind = 'PATIENT');
  DELETE FROM intake.sent_resource r WHERE r.facility_code = facility AND r.lookup = ANY (names) AND r.kind = 'PATIENT';
  PERFORM intake.supersede(message, names);
  PERFORM auth.unregister(facility, dropped);
  RETURN cardinality(dropped) > 0;
END $$;
DROP FUNCTION IF EXISTS auth.forget_patient(uuid, bytea[], jsonb);
REVOKE ALL ON FUNCTION auth.unregister, auth.drop_patient, intake.wait_for, intake.supersede, intake.await_names, intake.take_up, auth.take_up_of, auth.take_up_after,
  auth.forget_patient FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.drop_patient, intake.wait_for, intake.await_names, auth.forget_patient TO worker;
