-- owner: auth_owner
-- In which transaction an appointment changed last, so that copies of a book are told.
CREATE OR REPLACE FUNCTION care.note_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.changed_in := pg_current_xact_id();
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION care.note_change FROM PUBLIC;
CREATE OR REPLACE TRIGGER note_change BEFORE UPDATE ON care.appointment FOR EACH ROW EXECUTE FUNCTION care.note_change();
