-- owner: book_reader
-- The announcement, within reach of the login that reads books. It returns the line's number for the operation.
CREATE OR REPLACE FUNCTION op.announce(token text, proof_key bytea, wanted_grant uuid, operation text, variables bytea, request text)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT auth.announce(token, proof_key, wanted_grant, operation, variables, request)
$$;
REVOKE ALL ON FUNCTION op.announce FROM PUBLIC;
GRANT USAGE ON SCHEMA op TO api;
GRANT EXECUTE ON FUNCTION op.announce TO api;
