-- owner: auth_owner
-- only: demo
GRANT EXECUTE ON FUNCTION auth.disowned_state TO demo;
