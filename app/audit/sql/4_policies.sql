-- owner: auth_owner
-- Lines and leaves are added and never changed, but for a leaf's place in the tree; only functions write.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['head', 'line', 'leaf', 'tile', 'tree', 'checkpoint', 'sealer_key', 'question'] LOOP
    EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON audit.%I', t);
    EXECUTE format('CREATE POLICY deciding ON audit.%I TO auth_owner USING (true) WITH CHECK (true)', t);
    EXECUTE format('DROP POLICY IF EXISTS checking ON audit.%I', t);
    EXECUTE format('CREATE POLICY checking ON audit.%I FOR SELECT TO auditor USING (true)', t);
    EXECUTE format('GRANT SELECT ON audit.%I TO auditor', t);
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA audit TO auditor;
