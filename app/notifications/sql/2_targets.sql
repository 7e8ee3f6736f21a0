-- owner: auth_owner
-- Registers the phone of the caller's session. A phone that was registered before, by whomever, is theirs from now on
-- (B204); a person has `most` phones, the oldest goes (B206). Returns its id.
CREATE OR REPLACE FUNCTION notice.register_target(described jsonb, most int) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); target notice.push_target := jsonb_populate_record(NULL::notice.push_target, described);
BEGIN
  IF live.citizen_id IS NULL THEN
    RAISE EXCEPTION 'a practitioner is not told on a phone' USING ERRCODE = 'SK404';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(live.citizen_id::text, 3));
  DELETE FROM notice.push_target t WHERE t.lookup = target.lookup OR t.session_id = live.id;
  target.citizen_id := live.citizen_id; target.session_id := live.id; target.registered_at := clock_timestamp();
  INSERT INTO notice.push_target SELECT target.*;
  DELETE FROM notice.push_target t WHERE t.id IN (SELECT o.id FROM notice.push_target o WHERE o.citizen_id = live.citizen_id
    ORDER BY o.registered_at DESC, o.id OFFSET most);
  RETURN target.id;
END $$;

-- Forgets a phone of the caller; false when it is none of theirs.
CREATE OR REPLACE FUNCTION notice.remove_target(wanted uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE me uuid := auth.me();
BEGIN
  DELETE FROM notice.push_target t WHERE t.id = wanted AND t.citizen_id = me;
  RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION notice.mark_read(ids uuid[], everything boolean) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE me uuid := auth.me(); marked int;
BEGIN
  UPDATE notice.notice n SET read_at = clock_timestamp()
   WHERE n.citizen_id = me AND n.read_at IS NULL AND (everything OR n.id = ANY (ids));
  GET DIAGNOSTICS marked = ROW_COUNT;
  RETURN marked;
END $$;

CREATE OR REPLACE FUNCTION notice.set_preferences(wanted jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE preference notice.preference := jsonb_populate_record(NULL::notice.preference, wanted);
BEGIN
  preference.citizen_id := auth.me();
  IF preference.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
  END IF;
  INSERT INTO notice.preference SELECT preference.*
  ON CONFLICT (citizen_id) DO UPDATE SET (muted, is_quiet, quiet_from, quiet_until) = (excluded.muted, excluded.is_quiet, excluded.quiet_from, excluded.quiet_until);
END $$;
DROP FUNCTION IF EXISTS notice.live_targets(uuid);  -- of an older release
REVOKE ALL ON FUNCTION notice.register_target, notice.remove_target, notice.mark_read, notice.set_preferences FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.register_target, notice.remove_target, notice.mark_read, notice.set_preferences TO desk;
