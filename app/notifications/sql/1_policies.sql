-- owner: auth_owner
-- Who sees a row of notices: its owner's functions, and a signed-in citizen their own.
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT * FROM (VALUES ('notice', true), ('preference', true), ('push_target', true), ('push', false)) AS guarded(name, is_own) LOOP
    EXECUTE format('ALTER TABLE notice.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t.name);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON notice.%I', t.name);
    EXECUTE format('CREATE POLICY deciding ON notice.%I TO auth_owner USING (true) WITH CHECK (true)', t.name);
    IF t.is_own THEN
      EXECUTE format('DROP POLICY IF EXISTS own ON notice.%I', t.name);
      EXECUTE format('CREATE POLICY own ON notice.%I FOR SELECT TO desk USING (citizen_id = (SELECT auth.me()))', t.name);
    END IF;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA notice TO desk, worker;
GRANT SELECT ON notice.notice, notice.preference TO desk;
GRANT SELECT (id, citizen_id, session_id, platform, language, registered_at) ON notice.push_target TO desk;
