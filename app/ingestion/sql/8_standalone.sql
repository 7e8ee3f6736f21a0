-- owner: auth_owner
-- Records of one person that name no visit: each stands in one book only, as a visit does. `taken` are the ids of those that
-- stand in another person's book: they wait.
CREATE OR REPLACE FUNCTION auth.stand_alone(message uuid, first_position int, citizen uuid, ids text[], OUT taken text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := (SELECT m.facility_code FROM intake.message m WHERE m.id = message);
BEGIN
  IF NOT EXISTS (SELECT FROM auth.filing f WHERE f.message_id = message AND f.citizen_id = citizen) THEN
    RAISE EXCEPTION 'the message is not about this person' USING ERRCODE = '28000';
  END IF;
  taken := ARRAY(SELECT i FROM unnest(ids) i WHERE auth.home_of(facility, i) <> citizen);
  INSERT INTO auth.filing SELECT message, first_position + row_number() OVER (ORDER BY i), citizen, facility, i
    FROM unnest(ids) i WHERE i <> ALL (taken) ON CONFLICT (message_id, "position") DO NOTHING;
END $$;

-- Finds in whose book the record of a resource stands that is taken back, so that open_filing may open it. A visit that is
-- taken back as a whole may then be sent for somebody else. NULL when it stands in none any more.
CREATE OR REPLACE FUNCTION auth.prepare_taking_back(message uuid, at_position int, visit text, holder uuid, is_whole boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked intake.message; citizen uuid;
BEGIN
  SELECT m.* INTO STRICT asked FROM intake.message m WHERE m.id = message;
  citizen := coalesce(auth.home_of(asked.facility_code, visit), (SELECT r.citizen_id FROM intake.sent_resource r
    WHERE r.facility_code = asked.facility_code AND r.citizen_id = holder LIMIT 1));
  IF citizen IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE auth.filing f SET withdrawn_at = clock_timestamp() FROM intake.message m
   WHERE is_whole AND f.facility_code = asked.facility_code AND f.source_id = visit AND f.withdrawn_at IS NULL
     AND m.id = f.message_id AND m.received_at < asked.received_at;
  INSERT INTO auth.filing VALUES (message, at_position, citizen, asked.facility_code, visit, CASE WHEN is_whole THEN clock_timestamp() END)
      ON CONFLICT (message_id, "position") DO NOTHING;
  IF is_whole THEN
    PERFORM auth.take_up_after(asked, citizen, visit);
  END IF;
  RETURN citizen;
END $$;
-- Records that name no visit stand in one of their day (its id begins with it: `day:yyyymmdd:`), whatever a message says of the person:
-- in that of the first message that made one; or in `beside`, a visit of theirs in which results rest that belong to them. Returns its id.
DROP FUNCTION IF EXISTS auth.visit_of_day(uuid, int, text);
CREATE OR REPLACE FUNCTION auth.visit_of_day(message uuid, at_position int, visit text, beside text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE mine auth.filing; known text;
BEGIN
  SELECT f.* INTO STRICT mine FROM auth.filing f WHERE f.message_id = message AND f."position" = at_position;
  PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws('|', mine.facility_code, mine.citizen_id, left(visit, 12)), 1));
  known := CASE WHEN auth.home_of(mine.facility_code, beside) = mine.citizen_id THEN beside END;
  known := coalesce(known, (SELECT f.source_id FROM auth.filing f JOIN intake.message m ON m.id = f.message_id
             WHERE f.citizen_id = mine.citizen_id AND f.facility_code = mine.facility_code AND f.withdrawn_at IS NULL AND f.message_id <> message
               AND left(f.source_id, 13) = left(visit, 13) ORDER BY f.source_id <> visit, m.received_at, m.id LIMIT 1));
  UPDATE auth.filing f SET source_id = known WHERE f.message_id = message AND f."position" = at_position AND known <> visit;
  RETURN coalesce(known, visit);
END $$;
REVOKE ALL ON FUNCTION auth.stand_alone, auth.prepare_taking_back, auth.visit_of_day FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.stand_alone, auth.prepare_taking_back, auth.visit_of_day TO worker;
