-- owner: auth_owner
-- Gives the device of one of the signed-in person's live sessions a name of their own, which no later sign-in overwrites;
-- false when there is no such session of theirs, or none on a device.
CREATE OR REPLACE FUNCTION auth.name_device(of_session uuid, wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); person uuid := auth.person_of(live); named uuid;
BEGIN
  UPDATE auth.device d SET name = wanted, named_at = clock_timestamp()
   WHERE d.citizen_id = person AND d.id = (SELECT f.device_id FROM auth.live_families(person) f WHERE f.session_id = of_session)
  RETURNING d.id INTO named;
  IF named IS NOT NULL THEN
    PERFORM audit.write_line(person, 'DEVICE_NAMED', live, jsonb_build_object('session', of_session, 'device', named));
  END IF;
  RETURN named IS NOT NULL;
END $$;
REVOKE ALL ON FUNCTION auth.name_device FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.name_device TO desk;
