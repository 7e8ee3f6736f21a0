-- owner: auth_owner
-- A session that ends, whoever ends it, takes the phone that it registered with it (T15, B205).
CREATE OR REPLACE FUNCTION notice.forget_phone() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM notice.push_target t WHERE t.session_id = NEW.id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION notice.forget_phone FROM PUBLIC;
CREATE OR REPLACE TRIGGER forget_phone AFTER UPDATE OF ended_at ON auth.session
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION notice.forget_phone();
