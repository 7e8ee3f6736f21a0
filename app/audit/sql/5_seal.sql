-- owner: auth_owner
-- How the tree grows: a sealer takes its turn, reads what is not sealed, and seals it with one signed head, all in one
-- transaction that holds the tree's row. Killed at any step it has done nothing. Leaves are found by having no place yet,
-- not by a time or a number that a late commit could fall behind.
-- A sealer that starts while another is at work (a seal within `lease`) is told NULL and waits; else it takes over with a
-- new epoch, and the older one is refused from then on.
CREATE OR REPLACE FUNCTION audit.begin_sealing(public_key text, stop interval, lease interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE taken bigint;
BEGIN
  UPDATE audit.tree t SET epoch = t.epoch + 1, stop_after = stop
   WHERE t.epoch = 0 OR t.sealed_at <= clock_timestamp() - lease RETURNING t.epoch INTO taken;
  IF FOUND THEN
    INSERT INTO audit.sealer_key VALUES (public_key, clock_timestamp()) ON CONFLICT DO NOTHING;
  END IF;
  RETURN taken;
END $$;
REVOKE ALL ON FUNCTION audit.begin_sealing FROM PUBLIC;

-- Holds the tree until the transaction ends and returns its size. SK409: another sealer has taken over.
CREATE OR REPLACE FUNCTION audit.take_turn(mine bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE tree audit.tree;
BEGIN
  SELECT t.* INTO STRICT tree FROM audit.tree t FOR UPDATE;
  IF tree.epoch <> mine THEN
    RAISE EXCEPTION 'another sealer has taken over' USING ERRCODE = 'SK409';
  END IF;
  RETURN tree.size;
END $$;
REVOKE ALL ON FUNCTION audit.take_turn FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO sealer;
GRANT EXECUTE ON FUNCTION audit.begin_sealing, audit.take_turn TO sealer;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['leaf', 'tile'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS sealing ON audit.%I', t);
    EXECUTE format('CREATE POLICY sealing ON audit.%I FOR SELECT TO sealer USING (true)', t);
    EXECUTE format('GRANT SELECT ON audit.%I TO sealer', t);
  END LOOP;
END $$;
