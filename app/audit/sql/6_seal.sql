-- owner: auth_owner
-- Gives leaves their places after `old_size`, in the order given, with the tiles that changed and the signed head.
-- Nothing that was sealed changes: a tile only grows, a head of one size is one for ever. Without leaves it says that
-- everything is sealed. 40001: the tree is not as the sealer believed.
CREATE OR REPLACE FUNCTION audit.seal(mine bigint, old_size bigint, citizens uuid[], numbers bigint[], levels int[],
                                      positions bigint[], tiles bytea[], new_root bytea, signed_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE added bigint := cardinality(citizens); placed bigint;
BEGIN
  IF audit.take_turn(mine) <> old_size THEN
    RAISE EXCEPTION 'the tree has another size' USING ERRCODE = '40001';
  END IF;
  IF added > 0 THEN
    UPDATE audit.leaf f SET leaf_index = old_size + new.place - 1
      FROM unnest(citizens, numbers) WITH ORDINALITY new(citizen_id, n, place)
     WHERE f.citizen_id = new.citizen_id AND f.n = new.n AND f.leaf_index IS NULL;
    GET DIAGNOSTICS placed = ROW_COUNT;
    IF placed <> added THEN
      RAISE EXCEPTION 'a leaf is missing or sealed' USING ERRCODE = '40001';
    END IF;
    INSERT INTO audit.tile AS t SELECT * FROM unnest(levels, positions, tiles)
    ON CONFLICT (level, position) DO UPDATE SET hashes = excluded.hashes
     WHERE length(t.hashes) < length(excluded.hashes) AND substr(excluded.hashes, 1, length(t.hashes)) = t.hashes;
    GET DIAGNOSTICS placed = ROW_COUNT;
    IF placed <> cardinality(tiles) THEN
      RAISE EXCEPTION 'a tile only grows' USING ERRCODE = '40001';
    END IF;
    INSERT INTO audit.checkpoint VALUES (old_size + added, new_root, signed_note, clock_timestamp());
  END IF;
  UPDATE audit.tree t SET size = old_size + added, sealed_at = clock_timestamp();
END $$;
REVOKE ALL ON FUNCTION audit.seal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.seal TO sealer;
