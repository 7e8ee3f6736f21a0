-- owner: auth_owner
-- Opens what an emergency needs, for at most a day, told to the citizen in the same transaction and kept for review. It
-- was counted as a try before (take_emergency), and is taken back from those when it succeeds. Null: nobody has that
-- number, it is the practitioner's own, or they may not practise there. Never HIV, violence, or what is masked.
CREATE OR REPLACE FUNCTION auth.open_emergency(try uuid, keyed bytea, facility text, why text, new_grant uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); citizen uuid; given auth.book_grant; present timestamptz := clock_timestamp();
BEGIN
  PERFORM auth.require_step_up(live, 'EMERGENCY');
  IF why IS NULL OR char_length(btrim(why)) < 20 OR char_length(why) > 500 OR regexp_count(why COLLATE "pg_c_utf8", '[[:alpha:]]') < 12 THEN
    RAISE EXCEPTION 'no reason' USING ERRCODE = 'SK422';
  END IF;
  SELECT i.citizen_id INTO citizen FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id JOIN auth.practitioner p ON p.id = live.practitioner_id
   WHERE i.kind = 'PERSONAL_ID' AND i.lookup = keyed AND i.valid_until IS NULL AND c.closed_at IS NULL AND p.citizen_id IS DISTINCT FROM c.id
     AND facility = coalesce(live.via_facility_code, facility) AND auth.practises(live.practitioner_id, facility);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  DELETE FROM auth.share_try t WHERE t.id = try AND t.practitioner_id = live.practitioner_id;
  given := jsonb_populate_record(NULL::auth.book_grant, jsonb_build_object('id', new_grant, 'citizen_id', citizen,
    'practitioner_id', live.practitioner_id, 'facility_code', facility, 'kind', 'EMERGENCY', 'purpose', 'EMERGENCY', 'reason', btrim(why),
    'scope', jsonb_build_object('sections', 255, 'sensitive', 63 & ~(1 | 32), 'since', NULL, 'until', NULL, 'facilities', NULL, 'records', NULL),
    'session_id', live.id, 'confirmed_at', present, 'starts_at', present, 'ends_at', present + interval '24 hours'));
  PERFORM auth.give(given, live, 'EMERGENCY_OPENED', '{}');
  IF (SELECT count(*) FROM auth.book_grant g WHERE g.practitioner_id = live.practitioner_id AND g.kind = 'EMERGENCY' AND g.starts_at > present - interval '1 day') >= 5 THEN
    PERFORM auth.raise_alarm('MANY_EMERGENCIES', live.practitioner_id::text);
  END IF;
  RETURN new_grant;
END $$;

-- Counts a try to open an emergency access before it is judged. Ten a day are the most, whatever became of them.
CREATE OR REPLACE FUNCTION auth.take_emergency(try uuid, deed_key text, facility text, OUT wait_seconds int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  IF live.practitioner_id IS NULL THEN
    RAISE EXCEPTION 'not a practitioner''s session' USING ERRCODE = 'SK404';
  END IF;
  PERFORM auth.require_step_up(live, 'EMERGENCY');
  PERFORM FROM auth.practitioner p WHERE p.id = live.practitioner_id FOR NO KEY UPDATE;  -- in turn; any login could hold an advisory lock
  SELECT greatest(auth.seconds_locked(live.practitioner_id, true), (SELECT ceil(extract(epoch FROM g.starts_at + interval '1 day' - clock_timestamp()))::int
    FROM auth.book_grant g WHERE g.practitioner_id = live.practitioner_id AND g.kind = 'EMERGENCY' AND g.starts_at > clock_timestamp() - interval '1 day'
    ORDER BY g.starts_at DESC OFFSET 9 LIMIT 1)) INTO wait_seconds;
  IF wait_seconds IS NULL THEN
    INSERT INTO auth.share_try VALUES (try, live.practitioner_id, facility, deed_key, NULL, NULL, 'EMERGENCY', clock_timestamp(), NULL);
  END IF;
END $$;

REVOKE ALL ON FUNCTION auth.open_emergency, auth.take_emergency FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.open_emergency, auth.take_emergency TO desk;
