-- owner: auth_owner
-- Proofs, made of tiles. Source: RFC 9162 §2.1.3.1 (inclusion), §2.1.4.1 (consistency).
-- The root over the leaves first … past - 1 of each range, of which a complete subtree is one node that rests. All are
-- found by one statement, each by its place, and put together from the smallest subtree at a range's right end.
CREATE OR REPLACE FUNCTION audit.subtree_roots(firsts bigint[], pasts bigint[]) RETURNS bytea[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE roots bytea[] := array_fill(NULL::bytea, ARRAY[cardinality(firsts)]); one record;
BEGIN
  FOR one IN
    SELECT r.place, (SELECT substr(t.hashes, (node.entry & 31)::int * 32 + 1, 32) FROM audit.tile t
                      WHERE t.level = node.level AND t.position = node.entry >> 5) AS hash
      FROM unnest(firsts, pasts) WITH ORDINALITY r(first, past, place)
     CROSS JOIN LATERAL (SELECT bit AS level, (r.first >> bit) + ((r.past - r.first) >> (bit + 1) << 1) AS entry
        FROM generate_series(0, length(ltrim((r.past - r.first)::bit(64)::text, '0')) - 1) bit WHERE (r.past - r.first) >> bit & 1 = 1) node
     ORDER BY r.place, node.level
  LOOP
    IF length(one.hash) IS DISTINCT FROM 32 THEN
      RAISE EXCEPTION 'a tile is missing' USING ERRCODE = 'XX001';
    END IF;
    roots[one.place] := CASE WHEN roots[one.place] IS NULL THEN one.hash ELSE sha256('\x01'::bytea || one.hash || roots[one.place]) END;
  END LOOP;
  RETURN roots;
END $$;
REVOKE ALL ON FUNCTION audit.subtree_roots FROM PUBLIC;

-- The width of the left part of a tree of n leaves: the largest power of two below n.
CREATE OR REPLACE FUNCTION audit.left_width(n bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 1::bigint << (length(ltrim((n - 1)::bit(64)::text, '0')) - 1)
$$;
REVOKE ALL ON FUNCTION audit.left_width FROM PUBLIC;
