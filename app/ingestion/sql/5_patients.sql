-- owner: auth_owner
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
REVOKE ALL ON FUNCTION auth.unregister, auth.drop_patient, auth.forget_patient FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.drop_patient, auth.forget_patient TO worker;
