-- owner: auth_owner
-- Whether the signed-in citizen may know of a representation at all, as the policy `family` says: theirs as either side,
-- one of whoever they represent too, or one that they are asked to accept. SK401: nobody is signed in.
CREATE OR REPLACE FUNCTION auth.is_my_familys(r auth.representation) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(auth.me() IN (r.representative_id, r.dependant_id), false)
      OR r.dependant_id = ANY (auth.my_dependants()) OR r.id = ANY (auth.asked_of_me())
$$;

-- What one representation of the signed-in citizen's family is worth today, by its id.
CREATE OR REPLACE FUNCTION auth.extent_today(which uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(auth.extent_on(r, auth.today()), 'NONE') FROM auth.representation r WHERE r.id = which AND auth.is_my_familys(r)
$$;

-- The child's next birthday after which one representation lets its representative see or do less.
CREATE OR REPLACE FUNCTION auth.narrows_on(which uuid) RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT min(day) FROM auth.representation r JOIN auth.citizen d ON d.id = r.dependant_id CROSS JOIN auth.age_band b,
         LATERAL (SELECT (d.birth_on + make_interval(years => b.from_age))::date) birthday (day),
         auth.band_on(d.birth_on, day) after, auth.band_on(d.birth_on, day - 1) before
   WHERE r.id = which AND r.kind IN ('PARENT', 'GUARDIAN') AND day > auth.today() AND auth.is_my_familys(r)
     AND (after.extent, after.unmasked, after.may_share) IS DISTINCT FROM (before.extent, before.unmasked, before.may_share)
$$;

-- Who else represents the same person today as one representation does.
CREATE OR REPLACE FUNCTION auth.representatives_of(which uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT DISTINCT o.representative_id FROM auth.representation r JOIN auth.representation o USING (dependant_id)
    WHERE r.id = which AND o.representative_id <> coalesce(r.representative_id, r.dependant_id) AND auth.extent_on(o, auth.today()) <> 'NONE'
      AND auth.is_my_familys(r))
$$;
REVOKE ALL ON FUNCTION auth.is_my_familys, auth.extent_today, auth.narrows_on, auth.representatives_of FROM PUBLIC;
-- Of a book's owner nothing is told of the family: its readers may ask, and have no policy that would answer.
GRANT EXECUTE ON FUNCTION auth.extent_today, auth.narrows_on, auth.representatives_of TO desk, book_reader;
