-- owner: auth_owner
-- only: demo
GRANT USAGE ON SCHEMA auth TO demo;
GRANT SELECT ON auth.representation, auth.representation_claim, auth.consent, auth.consent_text, auth.identifier_join, auth.disowned_visit TO demo;
GRANT EXECUTE ON FUNCTION auth.extent_today, auth.narrows_on, auth.representatives_of, auth.asked_of_me, auth.today TO demo;
