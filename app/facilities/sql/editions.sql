-- owner: auth_owner
-- Names and levels of facilities stand in answers, so that another one is a new edition of what everybody may know.
CREATE OR REPLACE TRIGGER next_edition AFTER INSERT OR UPDATE OF code, name, level OR DELETE OR TRUNCATE ON directory.facility
  FOR EACH STATEMENT EXECUTE FUNCTION code.next_edition();
CREATE OR REPLACE TRIGGER next_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON directory.laboratory_level
  FOR EACH STATEMENT EXECUTE FUNCTION code.next_edition();
