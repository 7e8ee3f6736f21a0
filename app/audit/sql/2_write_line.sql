-- owner: auth_owner
-- Writes a line into a citizen's visitors' book, in the transaction of what it tells: both are there, or neither.
-- `live` says who did it; a null one is the product itself. `about` holds ids, codes, scope and purpose, never health
-- data; known keys: grant, purpose, facility, operation, variables (digest), sections (bits), since, until, version (of
-- the book), request, reason. The lines of one citizen are numbered without a gap, each names the leaf of the one before.
-- Leaf = SHA-256(0x00 || nonce || body), RFC 9162 §2.1.1: infra/decisions/0014-the-visitors-book.md
-- SK503: the book cannot be written, or a view by others while no seal was set for too long (T17).
CREATE OR REPLACE FUNCTION audit.write_line(citizen uuid, action text, live auth.session, about jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line audit.line;
  head record;
  leaf bytea;
BEGIN
  line.citizen_id := citizen;
  line.action := action;
  line.category := CASE action WHEN 'BOOK_OPENED' THEN 'VIEW' ELSE 'CHANGE' END;
  line.about := jsonb_strip_nulls(coalesce(about, '{}'));
  line.actor_kind := CASE WHEN live.practitioner_id IS NOT NULL THEN 'PRACTITIONER'
                          WHEN live.citizen_id = citizen THEN 'OWNER' WHEN live.citizen_id IS NOT NULL THEN 'REPRESENTATIVE'
                          WHEN live.facility_code IS NOT NULL THEN 'FACILITY_SYSTEM' ELSE 'SYSTEM' END;
  line.actor_id := coalesce(live.practitioner_id, live.citizen_id);
  line.facility_code := coalesce(line.about->>'facility', live.via_facility_code, live.facility_code);
  LOOP
    SELECT h.n, h.hash, EXISTS (SELECT FROM audit.tree t WHERE t.sealed_at > clock_timestamp() - t.stop_after) AS is_sealed,
           coalesce((SELECT p.full_name FROM auth.practitioner p WHERE p.id = live.practitioner_id),
                    (SELECT c.full_name FROM auth.citizen c WHERE c.id = live.citizen_id)) AS actor_name
      INTO head FROM audit.head h WHERE h.citizen_id = citizen FOR UPDATE OF h;
    EXIT WHEN FOUND;
    INSERT INTO audit.head VALUES (citizen, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
  END LOOP;
  IF line.category = 'VIEW' AND line.actor_kind <> 'OWNER' AND NOT head.is_sealed THEN
    RAISE EXCEPTION 'no seal was set for too long' USING ERRCODE = 'SK503';
  END IF;
  line.actor_name := head.actor_name;
  line.n := head.n + 1;
  line.previous := head.hash;
  line.at := clock_timestamp();
  line.nonce := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  line.transaction := pg_current_xact_id();
  leaf := sha256('\x00'::bytea || line.nonce || convert_to(audit.body_of(line), 'UTF8'));
  WITH kept AS (INSERT INTO audit.line VALUES (line.*)), hashed AS (INSERT INTO audit.leaf VALUES (citizen, line.n, leaf, NULL))
  UPDATE audit.head h SET n = line.n, hash = leaf WHERE h.citizen_id = citizen;
  RETURN line.n;
EXCEPTION
  WHEN insufficient_privilege OR undefined_table OR read_only_sql_transaction OR disk_full OR io_error OR raise_exception THEN
    RAISE EXCEPTION 'the visitors'' book cannot be written' USING ERRCODE = 'SK503';
END $$;
REVOKE ALL ON FUNCTION audit.write_line FROM PUBLIC;
