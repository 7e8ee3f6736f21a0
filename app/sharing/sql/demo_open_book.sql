-- owner: auth_owner
-- only: demo
-- Demo mode answers documents that are not deployed, so its login reads tables. It must not trust settings, which it
-- could set by itself: the decision is a row that only these functions write, good for one backend and transaction.
CREATE OR REPLACE FUNCTION auth.keep_window() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.reading_window AS w (backend, transaction, citizen_id, sections, since, until, unmasked, sensitive, facilities, records,
    whole, private)
  VALUES (pg_backend_pid(), pg_current_xact_id(), current_setting('book.citizen')::uuid, current_setting('book.sections')::int,
    current_setting('book.since')::timestamptz, current_setting('book.until')::timestamptz, current_setting('book.unmasked')::boolean,
    current_setting('book.sensitive')::int, nullif(current_setting('book.facilities'), '')::text[],
    nullif(current_setting('book.records'), '')::uuid[], current_setting('book.whole')::boolean, current_setting('book.private')::boolean)
  ON CONFLICT (backend) DO UPDATE SET (transaction, citizen_id, sections, since, until, unmasked, sensitive, facilities, records, whole, private) =
    (excluded.transaction, excluded.citizen_id, excluded.sections, excluded.since, excluded.until, excluded.unmasked, excluded.sensitive,
     excluded.facilities, excluded.records, excluded.whole, excluded.private)
$$;

CREATE OR REPLACE FUNCTION auth.open_demo_book(token text, proof_key bytea, target uuid, operation text,
                                               OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT o.citizen_id, o.sections, o.etag INTO citizen_id, sections, etag FROM auth.open_book(token, proof_key, target, operation) o;
  PERFORM auth.keep_window();
END $$;

CREATE OR REPLACE FUNCTION auth.open_demo_granted_book(token text, proof_key bytea, wanted uuid, announced bigint, operation text,
                                                       OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT o.citizen_id, o.sections, o.etag INTO citizen_id, sections, etag
    FROM auth.open_granted_book(token, proof_key, wanted, announced, operation) o;
  PERFORM auth.keep_window();
END $$;

CREATE OR REPLACE FUNCTION auth.open_demo_preview(token text, proof_key bytea, scope jsonb, target uuid, operation text,
                                                  OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT o.citizen_id, o.sections, o.etag INTO citizen_id, sections, etag FROM auth.open_preview(token, proof_key, scope, target, operation) o;
  PERFORM auth.keep_window();
END $$;
REVOKE ALL ON FUNCTION auth.keep_window, auth.open_demo_book, auth.open_demo_granted_book, auth.open_demo_preview FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.open_demo_book, auth.open_demo_granted_book, auth.open_demo_preview TO demo;
