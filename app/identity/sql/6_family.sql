-- owner: auth_owner
-- The people whom the signed-in citizen represents today.
CREATE OR REPLACE FUNCTION auth.my_dependants() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT r.dependant_id FROM auth.representation r
    WHERE r.representative_id = auth.me() AND r.ended_at IS NULL AND auth.extent_on(r, auth.today()) <> 'NONE')
$$;
REVOKE ALL ON FUNCTION auth.my_dependants FROM PUBLIC;

-- The representations that wait for the signed-in citizen's answer: asked of this personal id and name, 14 days long.
CREATE OR REPLACE FUNCTION auth.asked_of_me() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT r.id FROM auth.citizen c
    JOIN auth.identifier i ON i.citizen_id = c.id AND i.kind = 'PERSONAL_ID' AND i.valid_until IS NULL
    JOIN auth.representation r ON r.representative_lookup = i.lookup AND r.representative_key = c.name_key AND r.dependant_id <> c.id
   WHERE c.id = auth.me() AND r.accepted_at IS NULL AND r.ended_at IS NULL AND r.added_at > clock_timestamp() - interval '14 days'
     AND auth.may_share_for(r.added_by, r.dependant_id))
$$;

-- Everybody whose name the signed-in citizen may read in the family's list.
CREATE OR REPLACE FUNCTION auth.my_family() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT unnest(ARRAY[r.dependant_id, r.representative_id]) FROM auth.representation r, auth.me() me
    WHERE r.representative_id = me OR r.dependant_id = me OR r.dependant_id = ANY (auth.my_dependants()) OR r.id = ANY (auth.asked_of_me()))
$$;
REVOKE ALL ON FUNCTION auth.asked_of_me, auth.my_family FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.my_dependants, auth.asked_of_me, auth.my_family TO desk;

-- Of a book's owner nothing is told of the family: its readers may ask, and have no policy that would answer.
GRANT SELECT ON auth.representation TO desk, book_reader;
GRANT EXECUTE ON FUNCTION auth.asked_of_me TO book_reader;
DROP POLICY IF EXISTS family ON auth.representation;
CREATE POLICY family ON auth.representation FOR SELECT TO desk USING (
  representative_id = (SELECT auth.me()) OR dependant_id = (SELECT auth.me()) OR dependant_id = ANY ((SELECT auth.my_dependants())::uuid[])
  OR id = ANY ((SELECT auth.asked_of_me())::uuid[]));
DROP POLICY IF EXISTS relatives ON auth.citizen;  -- after `own` by its name: who asks for oneself does not pay for it
CREATE POLICY relatives ON auth.citizen FOR SELECT TO desk USING (id = ANY ((SELECT auth.my_family())::uuid[]));
