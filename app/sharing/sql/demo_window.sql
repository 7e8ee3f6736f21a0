-- owner: auth_owner
-- only: demo
-- The decision of this transaction; 28000 when no book is open.
CREATE OR REPLACE FUNCTION auth.demo_window() RETURNS auth.reading_window
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE open_window auth.reading_window;
BEGIN
  SELECT w.* INTO open_window FROM auth.reading_window w
   WHERE w.backend = pg_backend_pid() AND w.transaction = pg_current_xact_id_if_assigned();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no book is open' USING ERRCODE = '28000';
  END IF;
  RETURN open_window;
END $$;
REVOKE ALL ON FUNCTION auth.demo_window FROM PUBLIC;
GRANT USAGE ON SCHEMA auth, directory TO demo;
GRANT EXECUTE ON FUNCTION auth.demo_window TO demo;
GRANT SELECT ON directory.facility, auth.citizen, auth.identifier, auth.book TO demo;
DROP POLICY IF EXISTS demo_book ON auth.citizen;
CREATE POLICY demo_book ON auth.citizen FOR SELECT TO demo USING (id = (SELECT (auth.demo_window()).citizen_id));
DROP POLICY IF EXISTS demo_book ON auth.identifier;
CREATE POLICY demo_book ON auth.identifier FOR SELECT TO demo
  USING (citizen_id = (SELECT CASE WHEN w.private THEN w.citizen_id END FROM auth.demo_window() w));
DROP POLICY IF EXISTS demo_book ON auth.book;
CREATE POLICY demo_book ON auth.book FOR SELECT TO demo USING (citizen_id = (SELECT (auth.demo_window()).citizen_id));
