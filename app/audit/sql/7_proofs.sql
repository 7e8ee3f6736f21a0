-- owner: auth_owner
-- Proofs, made of tiles. Source: RFC 9162 §2.1.3.1 (inclusion), §2.1.4.1 (consistency).
-- The root over the leaves first … past - 1: complete subtrees, from the smallest at the right end to the left.
CREATE OR REPLACE FUNCTION audit.subtree_root(first bigint, past bigint) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE root bytea; found_hashes bytea; above bytea; width bigint; bits int; entry bigint; rest bigint := past;
BEGIN
  WHILE rest > first LOOP
    width := (rest - first) & (first - rest);
    bits := length(ltrim(width::bit(64)::text, '0')) - 1;
    entry := (rest - width) >> (bits / 8 * 8);
    SELECT substr(t.hashes, (entry & 255)::int * 32 + 1, 32 << (bits % 8)) INTO found_hashes
      FROM audit.tile t WHERE t.level = bits / 8 AND t.position = entry >> 8;
    IF length(found_hashes) IS DISTINCT FROM 32 << (bits % 8) THEN
      RAISE EXCEPTION 'a tile is missing' USING ERRCODE = 'XX001';
    END IF;
    WHILE length(found_hashes) > 32 LOOP
      above := '';
      FOR i IN 0 .. length(found_hashes) / 64 - 1 LOOP
        above := above || sha256('\x01'::bytea || substr(found_hashes, i * 64 + 1, 64));
      END LOOP;
      found_hashes := above;
    END LOOP;
    root := CASE WHEN root IS NULL THEN found_hashes ELSE sha256('\x01'::bytea || found_hashes || root) END;
    rest := rest - width;
  END LOOP;
  RETURN coalesce(root, sha256(''));
END $$;
REVOKE ALL ON FUNCTION audit.subtree_root FROM PUBLIC;

-- The width of the left part of a tree of n leaves: the largest power of two below n.
CREATE OR REPLACE FUNCTION audit.left_width(n bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 1::bigint << (length(ltrim((n - 1)::bit(64)::text, '0')) - 1)
$$;
REVOKE ALL ON FUNCTION audit.left_width FROM PUBLIC;
