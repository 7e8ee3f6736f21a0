-- owner: auth_owner
-- What was decided for the book that is open in this transaction, from the settings that the family of open_book wrote;
-- 28000 when none is open. Demo mode has its own: auth.demo_window.
CREATE OR REPLACE FUNCTION auth.decided() RETURNS auth.reading_window
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE decision auth.reading_window;
BEGIN
  decision.sections := coalesce(nullif(current_setting('book.sections', true), ''), auth.no_book())::int;
  decision.citizen_id := current_setting('book.citizen')::uuid;
  decision.since := current_setting('book.since')::timestamptz;
  decision.until := current_setting('book.until')::timestamptz;
  decision.unmasked := current_setting('book.unmasked')::boolean;
  decision.sensitive := current_setting('book.sensitive')::int;
  decision.facilities := nullif(current_setting('book.facilities'), '')::text[];
  decision.records := nullif(current_setting('book.records'), '')::uuid[];
  decision.whole := current_setting('book.whole')::boolean;
  decision.private := current_setting('book.private')::boolean;
  RETURN decision;
END $$;
CREATE OR REPLACE FUNCTION auth.no_book() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'no book is open' USING ERRCODE = '28000';
END $$;
REVOKE ALL ON FUNCTION auth.decided, auth.no_book FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.decided, auth.no_book TO book_reader;
