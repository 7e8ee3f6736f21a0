-- owner: auth_owner
-- What the signed-in person may know of their second factor: one row, also where there is none.
CREATE OR REPLACE FUNCTION auth.my_factor() RETURNS TABLE (is_enrolled boolean, enrolled_at timestamptz, locked_until timestamptz,
  is_off boolean, recovery_codes_left int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.id IS NOT NULL, f.confirmed_at, CASE WHEN f.locked_until > clock_timestamp() THEN f.locked_until END, f.off_at IS NOT NULL,
         (SELECT count(*)::int FROM auth.recovery_code r WHERE r.factor_id = f.id AND r.used_at IS NULL)
    FROM auth.person_of(auth.my_session()) me LEFT JOIN auth.factor f ON f.citizen_id = me AND f.confirmed_at IS NOT NULL
$$;
REVOKE ALL ON FUNCTION auth.my_factor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.my_factor TO desk;
