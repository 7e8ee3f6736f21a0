-- owner: auth_owner
-- The hashes that lead from a leaf to the root of the tree of `size` leaves. RFC 9162 §2.1.3.1. Null: no such leaf.
CREATE OR REPLACE FUNCTION audit.inclusion_path(leaf bigint, size bigint) RETURNS bytea[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE firsts bigint[] := '{}'; pasts bigint[] := '{}'; first bigint := 0; past bigint := size; middle bigint;
BEGIN
  IF leaf IS NULL OR leaf NOT BETWEEN 0 AND size - 1 OR size > (SELECT t.size FROM audit.tree t) THEN
    RETURN NULL;
  END IF;
  WHILE past - first > 1 LOOP
    middle := first + audit.left_width(past - first);
    IF leaf < middle THEN
      firsts := middle || firsts; pasts := past || pasts;
      past := middle;
    ELSE
      firsts := first || firsts; pasts := middle || pasts;
      first := middle;
    END IF;
  END LOOP;
  RETURN audit.subtree_roots(firsts, pasts);
END $$;
REVOKE ALL ON FUNCTION audit.inclusion_path FROM PUBLIC;

-- The hashes that prove the tree of `old` leaves to be the beginning of that of `new`. RFC 9162 §2.1.4.1. Null: there is none.
CREATE OR REPLACE FUNCTION audit.consistency_path(old bigint, new bigint) RETURNS bytea[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  firsts bigint[] := '{}'; pasts bigint[] := '{}';
  first bigint := 0; past bigint := new; middle bigint; is_known boolean := true;
BEGIN
  IF old NOT BETWEEN 0 AND new OR new > (SELECT t.size FROM audit.tree t) THEN
    RETURN NULL;
  END IF;
  WHILE old > 0 AND old < past LOOP
    middle := first + audit.left_width(past - first);
    IF old <= middle THEN
      firsts := middle || firsts; pasts := past || pasts;
      past := middle;
    ELSE
      firsts := first || firsts; pasts := middle || pasts;
      first := middle;
      is_known := false;
    END IF;
  END LOOP;
  IF NOT is_known THEN
    firsts := first || firsts; pasts := past || pasts;
  END IF;
  RETURN audit.subtree_roots(firsts, pasts);
END $$;
REVOKE ALL ON FUNCTION audit.consistency_path FROM PUBLIC;
DROP FUNCTION IF EXISTS audit.subtree_root(bigint, bigint);  -- of an older release: it hashed a tile anew for each node
