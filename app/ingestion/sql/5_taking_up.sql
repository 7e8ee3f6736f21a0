-- owner: auth_owner
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
REVOKE ALL ON FUNCTION intake.take_up, auth.take_up_of, auth.take_up_after FROM PUBLIC;
