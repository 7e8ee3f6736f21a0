-- owner: auth_owner
-- A hospital's system acts for a practitioner who paired with it once, as themselves, and still works there.
DO $$
BEGIN
  ALTER TABLE auth.pairing ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON auth.pairing;
  CREATE POLICY deciding ON auth.pairing TO auth_owner USING (true) WITH CHECK (true);
  DROP POLICY IF EXISTS own ON auth.pairing;
  CREATE POLICY own ON auth.pairing FOR SELECT TO desk USING (practitioner_id = (SELECT auth.my_practitioner()));
  GRANT SELECT ON auth.pairing TO desk;
END $$;

-- The signed-in practitioner pairs with a facility's system; one that acts for them cannot do it in their name.
-- SK404: they do not work there, or it is no practitioner's own session · SK409: paired already.
CREATE OR REPLACE FUNCTION auth.pair(new_id uuid, facility text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  IF live.practitioner_id IS NULL OR live.via_facility_code IS NOT NULL OR NOT auth.practises(live.practitioner_id, facility) THEN
    RAISE EXCEPTION 'no such place of work' USING ERRCODE = 'SK404';
  END IF;
  INSERT INTO auth.pairing VALUES (new_id, live.practitioner_id, facility, clock_timestamp(), NULL) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'paired already' USING ERRCODE = 'SK409';
  END IF;
  RETURN new_id;
END $$;

-- Ends a pairing of the signed-in practitioner, and every session that the system opened by it. SK404: none of theirs.
CREATE OR REPLACE FUNCTION auth.unpair(which uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); ended auth.pairing;
BEGIN
  UPDATE auth.pairing p SET ended_at = clock_timestamp()
   WHERE p.id = which AND p.practitioner_id = live.practitioner_id AND p.ended_at IS NULL AND live.via_facility_code IS NULL
  RETURNING p.* INTO ended;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such pairing' USING ERRCODE = 'SK404';
  END IF;
  UPDATE auth.session s SET ended_at = clock_timestamp()
   WHERE s.practitioner_id = ended.practitioner_id AND s.via_facility_code = ended.facility_code AND s.ended_at IS NULL;
  RETURN ended.id;
END $$;
REVOKE ALL ON FUNCTION auth.pair, auth.unpair FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.pair, auth.unpair TO desk;
