-- owner: auth_owner
-- As what a signed-in citizen may open another one's book, and how far: the widest of the representations that are good
-- today. `unmasked`: sees what was hidden. `may_share`: may share it too. SK404: none; absent and forbidden are alike.
CREATE OR REPLACE FUNCTION auth.representation(live auth.session, target uuid, OUT kind text, OUT sections int, OUT unmasked boolean,
                                               OUT may_share boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  SELECT r.kind, e.sections,
         CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.unmasked ELSE r.kind = 'COURT' END,
         CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.may_share ELSE r.kind = 'COURT' END
    INTO kind, sections, unmasked, may_share
    FROM auth.representation r JOIN auth.citizen d ON d.id = r.dependant_id
    JOIN auth.extent e ON e.code = auth.extent_on(r, auth.today()), auth.band_on(d.birth_on, auth.today()) b
   WHERE r.representative_id = live.citizen_id AND r.dependant_id = target AND r.ended_at IS NULL AND e.sections > 0
   ORDER BY 3 DESC, 2 DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.representation FROM PUBLIC;

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
   WHERE c.id = auth.me() AND r.accepted_at IS NULL AND r.ended_at IS NULL AND r.added_at > clock_timestamp() - interval '14 days')
$$;

-- Everybody whose name the signed-in citizen may read in the family's list.
CREATE OR REPLACE FUNCTION auth.my_family() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT unnest(ARRAY[r.dependant_id, r.representative_id]) FROM auth.representation r, auth.me() me
    WHERE r.representative_id = me OR r.dependant_id = me OR r.dependant_id = ANY (auth.my_dependants()) OR r.id = ANY (auth.asked_of_me()))
$$;
REVOKE ALL ON FUNCTION auth.asked_of_me, auth.my_family FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.my_dependants, auth.asked_of_me, auth.my_family TO desk;
