-- owner: auth_owner
-- Who sees a row of identity: its owner's functions, a signed-in citizen (`desk`), the open book's reader.
-- Policies for `book_reader` stand with open_book (sharing), those of health data in records.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['citizen', 'identifier', 'session', 'client_key', 'used_assertion', 'account', 'login',
                           'handoff', 'renewal', 'refresh_token', 'used_token', 'practitioner', 'practitioner_place',
                           'step_up', 'deed', 'device', 'seen', 'used_proof'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;

DROP POLICY IF EXISTS own ON auth.citizen;
CREATE POLICY own ON auth.citizen FOR SELECT TO desk USING (id = (SELECT auth.me()));
DROP POLICY IF EXISTS own ON auth.identifier;
CREATE POLICY own ON auth.identifier FOR SELECT TO desk USING (citizen_id = (SELECT auth.me()));
DROP POLICY IF EXISTS own ON auth.practitioner;
CREATE POLICY own ON auth.practitioner FOR SELECT TO desk USING (id = (SELECT auth.my_practitioner()));
DROP POLICY IF EXISTS own ON auth.practitioner_place;
CREATE POLICY own ON auth.practitioner_place FOR SELECT TO desk USING (practitioner_id = (SELECT auth.my_practitioner()));
GRANT SELECT ON auth.citizen, auth.identifier, auth.practitioner, auth.practitioner_place TO desk;
