-- owner: auth_owner
-- The newest signed head; no row before the first line is sealed.
CREATE OR REPLACE FUNCTION audit.latest_checkpoint() RETURNS TABLE (size bigint, note text)
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.size, c.note FROM audit.checkpoint c ORDER BY c.size DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION audit.latest_checkpoint FROM PUBLIC;

CREATE OR REPLACE FUNCTION audit.sealer_keys() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.verifier FROM audit.sealer_key k ORDER BY k.since_at
$$;
REVOKE ALL ON FUNCTION audit.sealer_keys FROM PUBLIC;
-- What a line's citizen is given of it: the text that was hashed, as whoever may read the line.
CREATE OR REPLACE FUNCTION audit.line_body(citizen uuid, line_number bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT audit.body_of(l) FROM audit.line l WHERE l.citizen_id = citizen AND l.n = line_number
$$;
REVOKE ALL ON FUNCTION audit.line_body FROM PUBLIC;

-- The path from a leaf to the newest signed head, in hexadecimal; null before the leaf is sealed.
CREATE OR REPLACE FUNCTION audit.proof_path(leaf bigint) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT array(SELECT encode(p.hash, 'hex') FROM unnest(audit.inclusion_path(leaf, c.size)) WITH ORDINALITY p(hash, n) ORDER BY p.n)
    FROM audit.latest_checkpoint() c WHERE leaf IS NOT NULL
$$;
REVOKE ALL ON FUNCTION audit.proof_path FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO desk;
GRANT EXECUTE ON FUNCTION audit.inclusion_path, audit.consistency_path, audit.latest_checkpoint, audit.sealer_keys TO desk;
GRANT EXECUTE ON FUNCTION audit.sealer_keys TO sealer;
