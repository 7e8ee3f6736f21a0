-- owner: auth_owner
-- Today where the law counts days. Source: Civil Code 2015 Art. 145 to 148.
CREATE OR REPLACE FUNCTION auth.today() RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
$$;
REVOKE ALL ON FUNCTION auth.today FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.today TO desk;

-- Whether somebody may practise today: the certificate is valid and not suspended, and there is a place, at this
-- facility if one is named, that is valid too and whose facility is not suspended. That one is looked at by a scalar: a
-- join of few places and all facilities is planned as a walk over these.
CREATE OR REPLACE FUNCTION auth.practises(who uuid, at_facility text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE today date := (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;  -- auth.today()
BEGIN
  PERFORM FROM auth.practitioner p JOIN auth.practitioner_place w ON w.practitioner_id = p.id
   WHERE p.id = who AND (at_facility IS NULL OR w.facility_code = at_facility)
     AND today BETWEEN p.valid_from AND coalesce(p.valid_until, 'infinity')
     AND (p.suspended_at IS NULL OR p.suspended_at > clock_timestamp())
     AND today BETWEEN w.valid_from AND coalesce(w.valid_until, 'infinity')
     AND (p.citizen_id IS NULL OR (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = p.citizen_id))
     AND (SELECT f.suspended_at IS NULL FROM directory.facility f WHERE f.code = w.facility_code);
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION auth.practises FROM PUBLIC;

-- The certificate with which the person of an account may practise today, the newest of several: the register has their
-- personal id, and the names agree. It remembers who signs in with it.
CREATE OR REPLACE FUNCTION auth.practitioner_of_account(account uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE found_one auth.practitioner; person uuid;
BEGIN
  SELECT c.id INTO person FROM auth.account a JOIN auth.citizen c ON c.id = a.citizen_id
   WHERE a.id = account AND a.closed_at IS NULL AND c.closed_at IS NULL;
  SELECT p.* INTO found_one FROM auth.citizen c
    JOIN auth.identifier i ON i.citizen_id = c.id AND i.kind = 'PERSONAL_ID' AND i.valid_until IS NULL
    JOIN auth.practitioner p ON p.person_lookup = i.lookup AND p.name_key = c.name_key
   WHERE c.id = person AND auth.practises(p.id) ORDER BY p.valid_from DESC, p.id LIMIT 1;
  UPDATE auth.practitioner p SET citizen_id = person WHERE p.id = found_one.id AND p.citizen_id IS DISTINCT FROM person;
  RETURN found_one.id;
END $$;
REVOKE ALL ON FUNCTION auth.practitioner_of_account FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.practitioner_of_account TO porter;
