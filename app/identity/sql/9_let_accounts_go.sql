-- owner: auth_owner
-- Ends whatever people are signed in with, in every role, and forgets which accounts of an identity provider are theirs.
CREATE OR REPLACE FUNCTION auth.let_accounts_go(people uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE accounts uuid[] := array(SELECT a.id FROM auth.account a WHERE a.citizen_id = ANY (people) AND a.closed_at IS NULL);
BEGIN
  UPDATE auth.session s SET ended_at = clock_timestamp() WHERE s.ended_at IS NULL AND (s.citizen_id = ANY (people)
      OR s.practitioner_id IN (SELECT p.id FROM auth.practitioner p WHERE p.citizen_id = ANY (people)));
  DELETE FROM auth.handoff h WHERE h.account_id = ANY (accounts);
  DELETE FROM auth.renewal n WHERE n.account_id = ANY (accounts);
  DELETE FROM auth.account a WHERE a.id = ANY (accounts);
END $$;
REVOKE ALL ON FUNCTION auth.let_accounts_go FROM PUBLIC;
