-- owner: auth_owner
-- Claims of parents and guardians that wait for their papers to be seen.
DO $$
BEGIN
  ALTER TABLE auth.representation_claim ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON auth.representation_claim;
  CREATE POLICY deciding ON auth.representation_claim TO auth_owner USING (true) WITH CHECK (true);
END $$;
