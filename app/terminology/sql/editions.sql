-- owner: book_owner
-- What everybody may know changes seldom; whatever changes it makes a new edition, in the same transaction. Kept answers and
-- kept names hold the edition that they were read in.
CREATE OR REPLACE FUNCTION code.next_edition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE code.edition SET number = number + 1;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION code.next_edition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION code.next_edition TO auth_owner;  -- which has it called by changes of the directory
GRANT SELECT ON code.edition TO auth_owner;

CREATE OR REPLACE TRIGGER next_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON code.entry
  FOR EACH STATEMENT EXECUTE FUNCTION code.next_edition();
CREATE OR REPLACE TRIGGER next_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON code.scheduled_dose
  FOR EACH STATEMENT EXECUTE FUNCTION code.next_edition();
CREATE OR REPLACE TRIGGER next_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON code.reuse_rule
  FOR EACH STATEMENT EXECUTE FUNCTION code.next_edition();
CREATE OR REPLACE TRIGGER next_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON code.test_unit
  FOR EACH STATEMENT EXECUTE FUNCTION code.next_edition();
