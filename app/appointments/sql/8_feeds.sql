-- owner: auth_owner
-- Makes a private calendar address, in place of the one that this citizen had for it; only the secret's hash is kept.
CREATE OR REPLACE FUNCTION care.make_feed(secret text, target uuid, feed uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE citizen uuid := care.act_for(target);
BEGIN
  UPDATE care.calendar_feed f SET revoked_at = clock_timestamp() WHERE f.citizen_id = citizen AND f.made_by = auth.me() AND f.revoked_at IS NULL;
  INSERT INTO care.calendar_feed VALUES (citizen, feed, auth.me(), sha256(convert_to(secret, 'UTF8')), clock_timestamp());
END $$;

-- Ends calendar addresses of a citizen: who represents them their own, the citizen everybody's. Returns how many.
CREATE OR REPLACE FUNCTION care.revoke_feeds(target uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE citizen uuid := care.act_for(target); ended int;
BEGIN
  UPDATE care.calendar_feed f SET revoked_at = clock_timestamp()
   WHERE f.citizen_id = citizen AND f.revoked_at IS NULL AND auth.me() IN (citizen, f.made_by);
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;

-- What a calendar address shows: a month back, and to come. No row but one of nulls: an empty calendar. SK404: no live address.
CREATE OR REPLACE FUNCTION care.calendar(secret text) RETURNS SETOF care.appointment
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE feed care.calendar_feed;
BEGIN
  SELECT f.* INTO feed FROM care.calendar_feed f JOIN auth.citizen c ON c.id = f.made_by AND c.closed_at IS NULL
   WHERE f.secret_hash = sha256(convert_to(secret, 'UTF8')) AND f.revoked_at IS NULL;
  IF NOT FOUND OR NOT care.may_act(feed.made_by, feed.citizen_id) THEN
    RAISE EXCEPTION 'no such calendar' USING ERRCODE = 'SK404';
  END IF;
  RETURN QUERY SELECT a.* FROM care.appointment a
   WHERE a.citizen_id = feed.citizen_id AND a.starts_at > clock_timestamp() - interval '30 days'
     AND (feed.made_by = a.citizen_id OR (NOT a.masked AND care.is_shown(feed.made_by, a.citizen_id, a.masked, a.sensitive)))
   ORDER BY a.starts_at, a.id LIMIT 500;
END $$;
REVOKE ALL ON FUNCTION care.make_feed, care.revoke_feeds, care.calendar FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.make_feed, care.revoke_feeds, care.calendar TO desk;
