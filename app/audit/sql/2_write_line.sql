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
  head audit.head;
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
  IF live.practitioner_id IS NOT NULL THEN
    SELECT p.full_name INTO line.actor_name FROM auth.practitioner p WHERE p.id = live.practitioner_id;
  ELSIF live.citizen_id IS NOT NULL THEN
    SELECT c.full_name INTO line.actor_name FROM auth.citizen c WHERE c.id = live.citizen_id;
  END IF;
  IF line.category = 'VIEW' AND line.actor_kind <> 'OWNER' THEN
    PERFORM FROM audit.tree t WHERE t.sealed_at > clock_timestamp() - t.stop_after;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'no seal was set for too long' USING ERRCODE = 'SK503';
    END IF;
  END IF;
  SELECT h.* INTO head FROM audit.head h WHERE h.citizen_id = citizen FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit.head VALUES (citizen, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    SELECT h.* INTO STRICT head FROM audit.head h WHERE h.citizen_id = citizen FOR UPDATE;
  END IF;
  line.n := head.n + 1;
  line.previous := head.hash;
  line.at := clock_timestamp();
  line.nonce := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  line.transaction := pg_current_xact_id();
  leaf := sha256('\x00'::bytea || line.nonce || convert_to(audit.body_of(line), 'UTF8'));
  UPDATE audit.head h SET n = line.n, hash = leaf WHERE h.citizen_id = citizen;
  INSERT INTO audit.line VALUES (line.*);
  INSERT INTO audit.leaf VALUES (citizen, line.n, leaf, NULL);
  RETURN line.n;
EXCEPTION
  WHEN insufficient_privilege OR undefined_table OR read_only_sql_transaction OR disk_full OR io_error OR raise_exception THEN
    RAISE EXCEPTION 'the visitors'' book cannot be written' USING ERRCODE = 'SK503';
END $$;
REVOKE ALL ON FUNCTION audit.write_line FROM PUBLIC;
