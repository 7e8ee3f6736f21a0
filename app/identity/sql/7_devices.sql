-- owner: auth_owner
-- The sessions of a person's apps that can still be used or renewed, as a citizen or as a practitioner.
CREATE OR REPLACE FUNCTION auth.live_families(person uuid) RETURNS TABLE (session_id uuid, device_id uuid, created_at timestamptz, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.id, n.device_id, s.created_at, least(n.until, r.expires_at) FROM auth.device d
    JOIN auth.renewal n ON n.device_id = d.id JOIN auth.session s ON s.id = n.session_id
    JOIN auth.refresh_token r ON r.session_id = s.id AND r.used_at IS NULL
   WHERE d.citizen_id = person AND s.ended_at IS NULL AND least(n.until, r.expires_at) > clock_timestamp()
$$;
REVOKE ALL ON FUNCTION auth.live_families FROM PUBLIC;

-- Gives a new session its device: the one of its key, whose earlier session it replaces, or a new one, of which its
-- person is told. `described`: id, name, platform, and how many live sessions are the most: one more ends the oldest.
CREATE OR REPLACE FUNCTION auth.place_device(session uuid, person uuid, described jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  device auth.device := jsonb_populate_record(NULL::auth.device, described);
  live auth.session; oldest uuid; client text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(person::text, 2));  -- two sign-ins of one person take turns
  SELECT s.* INTO STRICT live FROM auth.session s WHERE s.id = session;
  SELECT n.client_id INTO STRICT client FROM auth.renewal n WHERE n.session_id = session;
  UPDATE auth.device d SET name = CASE WHEN d.named_at IS NULL THEN coalesce(device.name, d.name) ELSE d.name END, platform = coalesce(device.platform, d.platform)
   WHERE d.citizen_id = person AND d.client_id = client AND d.key_thumbprint = live.key_thumbprint RETURNING d.id INTO device.id;
  IF FOUND THEN
    UPDATE auth.session s SET ended_at = clock_timestamp() FROM auth.renewal n
     WHERE n.device_id = device.id AND s.id = n.session_id AND s.ended_at IS NULL
       AND (s.citizen_id, s.practitioner_id) IS NOT DISTINCT FROM (live.citizen_id, live.practitioner_id);
  ELSE
    device.id := (described->>'id')::uuid;
    INSERT INTO auth.device VALUES (device.id, person, client, live.key_thumbprint, device.name, device.platform, clock_timestamp());
    PERFORM notice.happened(person, 'DEVICE_ADDED', jsonb_build_object('session', session, 'device', device.id));
    PERFORM audit.write_line(person, 'DEVICE_ADDED', live, jsonb_build_object('session', session, 'device', device.id));
  END IF;
  UPDATE auth.renewal n SET device_id = device.id WHERE n.session_id = session;
  FOR oldest IN SELECT f.session_id FROM auth.live_families(person) f WHERE f.session_id <> session
                 ORDER BY f.created_at DESC OFFSET (described->>'most')::int - 1 LOOP
    UPDATE auth.session s SET ended_at = clock_timestamp() WHERE s.id = oldest;
    PERFORM notice.happened(person, 'SESSION_ENDED', jsonb_build_object('session', oldest, 'why', 'TOO_MANY'));
    PERFORM audit.write_line(person, 'SESSION_ENDED', live, jsonb_build_object('session', oldest, 'why', 'TOO_MANY'));
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION auth.place_device FROM PUBLIC;

-- Ends a session whose refresh token came a second time, or from elsewhere, and tells its person (RFC 9700 §4.14).
CREATE OR REPLACE FUNCTION auth.end_reused(live auth.session, renewal auth.renewal) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE person uuid := (SELECT a.citizen_id FROM auth.account a WHERE a.id = renewal.account_id);
BEGIN
  UPDATE auth.session s SET ended_at = clock_timestamp() WHERE s.id = live.id;
  PERFORM notice.happened(person, 'SESSION_REUSED', jsonb_build_object('session', live.id, 'device', renewal.device_id), 'reused ' || live.id);
  PERFORM audit.write_line(person, 'SESSION_REUSED', live, jsonb_build_object('session', live.id, 'device', renewal.device_id));
END $$;
REVOKE ALL ON FUNCTION auth.end_reused FROM PUBLIC;
