-- owner: auth_owner
-- The login that lets people in. What it may call was `desk`'s before, whose statements an app's questions run as.
GRANT USAGE ON SCHEMA auth TO porter;
DO $$
DECLARE f text;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'auth'::regnamespace AND p.proname IN ('begin_login', 'take_login',
      'admit_person', 'issue_handoff', 'redeem_handoff', 'renew_session', 'revoke_token', 'use_token', 'end_provider_sessions',
      'practitioner_of_account', 'settle_try') LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || f || ' FROM desk';
  END LOOP;
END $$;
