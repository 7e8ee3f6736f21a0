-- owner: auth_owner
-- Opens for writing the books that a message is about, as `match_person` recorded them, and no other, until the
-- transaction ends. Books are locked in one order, so that two messages about the same people take turns.
CREATE OR REPLACE FUNCTION auth.open_filing(message uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE about uuid[];
BEGIN
  SELECT array_agg(b.citizen_id) INTO about FROM (
    SELECT k.citizen_id FROM auth.book k
     WHERE k.citizen_id IN (SELECT f.citizen_id FROM auth.filing f WHERE f.message_id = message)
     ORDER BY k.citizen_id FOR UPDATE) b;
  IF about IS NULL THEN
    RAISE EXCEPTION 'the message is about nobody' USING ERRCODE = 'SK404';
  END IF;
  INSERT INTO auth.filing_window AS w (backend, transaction, citizens) VALUES (pg_backend_pid(), pg_current_xact_id(), about)
  ON CONFLICT (backend) DO UPDATE SET transaction = excluded.transaction, citizens = excluded.citizens;
  RETURN cardinality(about);
END $$;
REVOKE ALL ON FUNCTION auth.open_filing FROM PUBLIC;

-- The books that this transaction may write; 28000 when none is open.
CREATE OR REPLACE FUNCTION auth.filing_citizens() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE about uuid[];
BEGIN
  SELECT w.citizens INTO about FROM auth.filing_window w
   WHERE w.backend = pg_backend_pid() AND w.transaction = pg_current_xact_id_if_assigned();
  IF about IS NULL THEN
    RAISE EXCEPTION 'no book is open for filing' USING ERRCODE = '28000';
  END IF;
  RETURN about;
END $$;
REVOKE ALL ON FUNCTION auth.filing_citizens FROM PUBLIC;

-- Tells readers that a book changed; only for a book that is open for filing.
CREATE OR REPLACE FUNCTION auth.book_changed(citizen uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.book b SET version = b.version + 1, changed_at = clock_timestamp()
   WHERE b.citizen_id = citizen AND citizen = ANY (auth.filing_citizens())
$$;
REVOKE ALL ON FUNCTION auth.book_changed FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO worker, book_owner;
GRANT EXECUTE ON FUNCTION auth.open_filing, auth.filing_citizens, auth.book_changed TO worker;
