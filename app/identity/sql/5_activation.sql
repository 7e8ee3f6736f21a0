-- owner: auth_owner
-- A code with which a person whom a facility registered proves, at sign-in, that the record is theirs. The facility asks
-- for somebody of whom it has sent a record and who has no account yet; a new code replaces the one before. Only an HMAC
-- of the code is kept. Null: nobody of that kind, whatever the reason.
CREATE OR REPLACE FUNCTION auth.make_activation(token text, new_id uuid, number_kind text, number bytea, code bytea, life interval) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE facility text := auth.calling_facility(token); person uuid; good_until timestamptz := clock_timestamp() + life;
BEGIN
  SELECT c.id INTO person FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id
   WHERE i.kind = number_kind AND i.lookup = number AND i.valid_until IS NULL AND c.closed_at IS NULL
     AND EXISTS (SELECT FROM auth.filing f WHERE f.citizen_id = c.id AND f.facility_code = facility AND f.withdrawn_at IS NULL)
     AND NOT EXISTS (SELECT FROM auth.account a WHERE a.citizen_id = c.id AND a.closed_at IS NULL);
  IF person IS NULL THEN
    RETURN NULL;
  END IF;
  INSERT INTO auth.activation AS a VALUES (person, facility, code, good_until, NULL)
  ON CONFLICT (citizen_id) DO UPDATE SET (facility_code, lookup, expires_at, used_at) = (excluded.facility_code, excluded.lookup, excluded.expires_at, NULL);
  PERFORM audit.write_line(person, 'ACTIVATION_MADE', auth.live_session(token, NULL), jsonb_build_object('activation', new_id));
  RETURN good_until;
END $$;

-- Whom a code activates, for an account whose personal id names `known`, or nobody yet; once. A wrong, late or used code, one
-- of somebody else or of a facility that was suspended since, and a sixth try of an account within 15 minutes are nothing alike.
CREATE OR REPLACE FUNCTION auth.take_activation(code bytea, provider text, account_subject text, known uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE counted int; activated uuid; present timestamptz := clock_timestamp();
BEGIN
  DELETE FROM auth.activation_try t WHERE t.since < present - interval '15 minutes';
  INSERT INTO auth.activation_try AS t VALUES (provider, account_subject, 1, present)
  ON CONFLICT (issuer, subject) DO UPDATE SET tries = t.tries + 1 RETURNING t.tries INTO counted;
  IF counted > 5 THEN
    RETURN NULL;
  END IF;
  UPDATE auth.activation a SET used_at = present WHERE a.lookup = code AND a.used_at IS NULL AND a.expires_at > present
     AND (a.citizen_id = known OR (known IS NULL AND NOT EXISTS (SELECT FROM auth.identifier i
           WHERE i.citizen_id = a.citizen_id AND i.kind = 'PERSONAL_ID' AND i.valid_until IS NULL)))
     AND NOT EXISTS (SELECT FROM auth.account o WHERE o.citizen_id = a.citizen_id AND o.closed_at IS NULL)
     AND EXISTS (SELECT FROM auth.citizen c WHERE c.id = a.citizen_id AND c.closed_at IS NULL)
     AND EXISTS (SELECT FROM directory.facility f WHERE f.code = a.facility_code AND f.suspended_at IS NULL)
  RETURNING a.citizen_id INTO activated;
  RETURN activated;
END $$;
REVOKE ALL ON FUNCTION auth.make_activation, auth.take_activation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.make_activation TO ingest;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['activation', 'activation_try'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
