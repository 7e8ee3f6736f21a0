-- owner: auth_owner
-- only: demo
-- Demo mode answers documents that are not deployed, so its login reads tables. It must not trust settings, which it
-- could set by itself: the decision is a row that only this function writes, good for one backend and transaction.
CREATE OR REPLACE FUNCTION auth.open_demo_book(token text, proof_key bytea, target uuid, operation text,
                                               OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  SELECT o.citizen_id, o.sections, o.etag INTO citizen_id, sections, etag
    FROM auth.open_book(token, proof_key, target, operation) o;
  INSERT INTO auth.reading_window AS w (backend, transaction, citizen_id, sections, since, until, unmasked)
  VALUES (pg_backend_pid(), pg_current_xact_id(), citizen_id, sections, current_setting('book.since')::timestamptz,
          current_setting('book.until')::timestamptz, current_setting('book.unmasked')::boolean)
  ON CONFLICT (backend) DO UPDATE SET (transaction, citizen_id, sections, since, until, unmasked) =
    (excluded.transaction, excluded.citizen_id, excluded.sections, excluded.since, excluded.until, excluded.unmasked);
END $$;
REVOKE ALL ON FUNCTION auth.open_demo_book FROM PUBLIC;

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
GRANT EXECUTE ON FUNCTION auth.open_demo_book, auth.demo_window TO demo;
GRANT SELECT ON directory.facility, auth.citizen, auth.identifier, auth.book TO demo;
DROP POLICY IF EXISTS demo_book ON auth.citizen;
CREATE POLICY demo_book ON auth.citizen FOR SELECT TO demo USING (id = (SELECT (auth.demo_window()).citizen_id));
DROP POLICY IF EXISTS demo_book ON auth.identifier;
CREATE POLICY demo_book ON auth.identifier FOR SELECT TO demo USING (citizen_id = (SELECT (auth.demo_window()).citizen_id));
DROP POLICY IF EXISTS demo_book ON auth.book;
CREATE POLICY demo_book ON auth.book FOR SELECT TO demo USING (citizen_id = (SELECT (auth.demo_window()).citizen_id));
