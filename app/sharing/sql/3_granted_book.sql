-- owner: auth_owner
-- The book that a grant opens to the practitioner behind a token, as auth.live_session, auth.practises and auth.judge_grant
-- judge it, in one statement: their conditions word for word (tests/attacks/test_catalogue.py). What it does not find they
-- refuse, each in its own way. SK401, SK404, 25001: as there.
CREATE OR REPLACE FUNCTION auth.live_grant(token text, proof_key bytea, wanted uuid, OUT session uuid, OUT practitioner uuid,
                                           OUT practitioner_name text, OUT citizen_id uuid, OUT kind text, OUT purpose text,
                                           OUT facility text, OUT scope jsonb, OUT hidden int, OUT version bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE today date := (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;  -- auth.today()
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN  -- a kept snapshot does not see a session end
    RAISE EXCEPTION 'stale transaction' USING ERRCODE = '25001';
  END IF;
  SELECT s.id, g.practitioner_id, g.citizen_id, g.kind, g.purpose, g.facility_code, g.scope, b.hidden_classes, b.version,
         (SELECT p.full_name FROM auth.practitioner p JOIN auth.practitioner_place w ON w.practitioner_id = p.id
           WHERE p.id = g.practitioner_id AND w.facility_code = g.facility_code
             AND today BETWEEN p.valid_from AND coalesce(p.valid_until, 'infinity')
             AND (p.suspended_at IS NULL OR p.suspended_at > clock_timestamp())
             AND today BETWEEN w.valid_from AND coalesce(w.valid_until, 'infinity')
             AND (p.citizen_id IS NULL OR (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = p.citizen_id))
             AND (SELECT f.suspended_at IS NULL FROM directory.facility f WHERE f.code = w.facility_code) LIMIT 1)
    INTO session, practitioner, citizen_id, kind, purpose, facility, scope, hidden, version, practitioner_name
    FROM auth.session s JOIN auth.book_grant g ON g.practitioner_id IS NOT DISTINCT FROM s.practitioner_id  -- a session by its token alone
    LEFT JOIN auth.book b ON b.citizen_id = g.citizen_id
   WHERE g.id = wanted AND g.revoked_at IS NULL AND (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = g.citizen_id)
     AND clock_timestamp() >= g.starts_at AND clock_timestamp() < g.ends_at
     AND g.facility_code = coalesce(s.via_facility_code, g.facility_code)
     AND s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
     AND s.key_thumbprint IS NOT DISTINCT FROM proof_key
     AND (s.citizen_id IS NULL OR (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = s.citizen_id));
  IF practitioner_name IS NULL THEN
    PERFORM auth.judge_grant(auth.live_session(token, proof_key), wanted);
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.live_grant FROM PUBLIC;
DROP FUNCTION IF EXISTS auth.granted_book(auth.session, uuid);
