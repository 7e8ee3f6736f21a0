-- owner: auth_owner
-- Adds a line to a citizen's visitors' book; audit.write_line tells what a line is. `about` is canonical JSON without
-- nulls: what is hashed is this text, and audit.body_of makes the same of the row that is kept.
-- SK503: the book cannot be written, or a view by others while no seal was set for too long (T17).
CREATE OR REPLACE FUNCTION audit.append(citizen uuid, action text, category text, actor_kind text, actor_id uuid, actor_name text,
                                        facility_code text, about text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE number bigint; previous bytea; is_sealed boolean; at timestamptz; nonce bytea; leaf bytea;
BEGIN
  LOOP
    SELECT h.n + 1, h.hash, (SELECT t.sealed_at > clock_timestamp() - t.stop_after FROM audit.tree t) INTO number, previous, is_sealed
      FROM audit.head h WHERE h.citizen_id = citizen FOR UPDATE OF h;
    EXIT WHEN FOUND;
    INSERT INTO audit.head VALUES (citizen, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
  END LOOP;
  IF category = 'VIEW' AND actor_kind <> 'OWNER' AND is_sealed IS NOT TRUE THEN
    RAISE EXCEPTION 'no seal was set for too long' USING ERRCODE = 'SK503';
  END IF;
  at := clock_timestamp();
  nonce := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  leaf := sha256('\x00'::bytea || nonce || convert_to(audit.body(citizen, number, previous, at, action, category, actor_kind, actor_id,
                                                                 actor_name, facility_code, about), 'UTF8'));
  WITH kept AS (INSERT INTO audit.line VALUES (citizen, number, previous, at, action, category, actor_kind, actor_id, actor_name,
                                               facility_code, about::jsonb, nonce, pg_current_xact_id())),
    hashed AS (INSERT INTO audit.leaf VALUES (citizen, number, leaf, NULL))
  UPDATE audit.head h SET n = number, hash = leaf WHERE h.citizen_id = citizen;
  RETURN number;
EXCEPTION
  WHEN insufficient_privilege OR undefined_table OR read_only_sql_transaction OR disk_full OR io_error OR raise_exception THEN
    RAISE EXCEPTION 'the visitors'' book cannot be written' USING ERRCODE = 'SK503';
END $$;
REVOKE ALL ON FUNCTION audit.append FROM PUBLIC;
