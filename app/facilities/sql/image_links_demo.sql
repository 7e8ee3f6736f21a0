-- owner: auth_owner
-- only: demo
-- Demo mode's login is told links as operations are.
GRANT EXECUTE ON FUNCTION directory.image_link TO demo;
GRANT SELECT ON directory.laboratory_level TO demo;
