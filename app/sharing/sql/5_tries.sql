-- owner: auth_owner
-- What a try by a practitioner meets, for codes and emergencies: SK429 with the seconds to wait in the error's HINT, told
-- to themselves; failures of a facility and of everybody raise alarms and lock nobody. Codes and emergencies are counted apart: who
-- mistyped a code five times at a bedside must still be able to open the book when the patient faints.
DROP FUNCTION IF EXISTS auth.seconds_locked(uuid);
CREATE OR REPLACE FUNCTION auth.seconds_locked(who uuid, for_emergency boolean) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT max(ceil(extract(epoch FROM l.at + l.during - clock_timestamp())))::int
    FROM (VALUES (5, interval '15 minutes'), (10, interval '1 hour'), (20, interval '1 day')) AS most(failures, during)
    CROSS JOIN LATERAL (SELECT t.at, most.during FROM auth.share_try t
       WHERE t.practitioner_id = who AND (t.reason = 'EMERGENCY') = for_emergency AND t.at > clock_timestamp() - most.during
       ORDER BY t.at DESC OFFSET most.failures - 1 LIMIT 1) l
$$;

CREATE OR REPLACE FUNCTION auth.raise_alarm(kind text, subject text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.alarm (id, kind, subject, hour, raised_at)
  VALUES (uuidv7(), kind, subject, date_trunc('hour', clock_timestamp()), clock_timestamp()) ON CONFLICT (kind, subject, hour) DO NOTHING
$$;

-- Counts a try before it is judged: in a transaction that is committed first, so that no crash gives it back. What was
-- counted is taken back when it succeeds. Returns the code that was meant and what proves it, if it may be redeemed.
CREATE OR REPLACE FUNCTION auth.take_try(try uuid, deed_key text, keyed bytea, facility text, OUT wait_seconds int, OUT code uuid, OUT proof text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE live auth.session := auth.my_session(); known auth.share_code; reason text; may boolean;
BEGIN
  IF live.practitioner_id IS NULL THEN
    RAISE EXCEPTION 'not a practitioner''s session' USING ERRCODE = 'SK404';
  END IF;
  PERFORM FROM auth.practitioner p WHERE p.id = live.practitioner_id FOR NO KEY UPDATE;  -- in turn; any login could hold an advisory lock
  wait_seconds := auth.seconds_locked(live.practitioner_id, false);
  IF wait_seconds IS NOT NULL THEN
    RETURN;  -- whatever was typed: the code is not burned
  END IF;
  SELECT c.* INTO known FROM auth.share_code c WHERE c.lookup = keyed;
  may := facility = coalesce(live.via_facility_code, facility) AND auth.practises(live.practitioner_id, facility);
  UPDATE auth.share_code c SET tries = c.tries + 1
   WHERE c.lookup = keyed AND c.redeemed_at IS NULL AND c.cancelled_at IS NULL AND c.redeemable_until > clock_timestamp() AND c.tries < 3
     AND may AND auth.may_redeem(c, live) RETURNING c.id, c.verifier INTO code, proof;
  reason := CASE WHEN code IS NOT NULL THEN 'WRONG_PIN' WHEN known.id IS NULL THEN 'UNKNOWN' WHEN NOT may THEN 'NOT_PRACTISING_THERE'
    WHEN known.redeemed_at IS NOT NULL THEN 'USED' WHEN known.cancelled_at IS NOT NULL THEN 'CANCELLED' WHEN known.tries >= 3 THEN 'TRIES_SPENT'
    WHEN known.redeemable_until <= clock_timestamp() THEN 'EXPIRED' ELSE 'NOT_FOR_THIS_VIEWER' END;
  INSERT INTO auth.share_try VALUES (try, live.practitioner_id, facility, deed_key, known.id, known.citizen_id, reason, clock_timestamp(), NULL);
  IF (SELECT count(*) FROM auth.share_try t WHERE t.facility_code = facility AND t.at > clock_timestamp() - interval '1 hour') >= 100 THEN
    PERFORM auth.raise_alarm('GUESSES_AT_FACILITY', facility);
  END IF;
  IF (SELECT count(*) FROM auth.share_try t WHERE t.at > clock_timestamp() - interval '1 hour') >= 300 THEN
    PERFORM auth.raise_alarm('GUESSES_EVERYWHERE', '');
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.seconds_locked, auth.raise_alarm, auth.take_try FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.take_try TO desk;
