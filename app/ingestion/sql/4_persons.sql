-- owner: auth_owner
-- Whom a visit stands with, whether two descriptions are of one person, and the newborns that wait.
-- The citizen in whose book a facility's visit stands.
CREATE OR REPLACE FUNCTION auth.home_of(facility text, visit_id text) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.citizen_id FROM auth.filing f WHERE f.facility_code = facility AND f.source_id = visit_id AND f.withdrawn_at IS NULL LIMIT 1
$$;

-- Why two descriptions are not of one person; NULL when they agree. A child's first papers name the mother. Systems drop what stands
-- between the letters of a name: H'Nhan is sent as H Nhan, HNhan and H-Nhan.
CREATE OR REPLACE FUNCTION auth.person_differs(known auth.citizen, sent auth.citizen) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN known.name_key <> sent.name_key AND translate(known.name_key, ' ''-.,', '') <> translate(sent.name_key, ' ''-.,', '')
         AND NOT EXISTS (SELECT FROM auth.birth b WHERE b.child_id = known.id
         AND (known.name_key IN (b.mother_key, 'CON BA ' || b.mother_key) OR sent.name_key IN (b.mother_key, 'CON BA ' || b.mother_key)))
      THEN 'NAME_DIFFERS'
    WHEN extract(year FROM known.birth_on) <> extract(year FROM sent.birth_on)
      OR (known.birth_on <> sent.birth_on AND known.birth_precision <> 'YEAR' AND sent.birth_precision <> 'YEAR') THEN 'BIRTH_DIFFERS'
  END
$$;

DO $$
BEGIN
  ALTER TABLE auth.birth ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON auth.birth;
  CREATE POLICY deciding ON auth.birth TO auth_owner USING (true) WITH CHECK (true);
END $$;
REVOKE ALL ON FUNCTION auth.newborns, auth.home_of, auth.person_differs, auth.register_birth FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.register_birth TO worker;

-- Takes up again the messages of a facility that wait for a newborn's mother.
CREATE OR REPLACE FUNCTION intake.replay_newborns(facility text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE waiting uuid; replayed int := 0;
BEGIN
  FOR waiting IN SELECT m.id FROM intake.message m
     WHERE m.facility_code = facility AND m.status IN ('quarantined', 'partly') AND m.received_at > now() - interval '90 days'
       AND m.verdict @? '$.visits[*].problems[*] ? (@.code == "NO_IDENTIFIER" || @.code == "TWINS_UNCLEAR")'
     ORDER BY m.received_at LIMIT 200 LOOP
    PERFORM intake.replay_message(waiting);
    replayed := replayed + 1;
  END LOOP;
  RETURN replayed;
END $$;
REVOKE ALL ON FUNCTION intake.replay_newborns FROM PUBLIC;

