-- owner: book_owner
-- Code lists are public facts; only `sokhoe migrate` and `sokhoe codes load` write them. As `auth_owner`, `migrate` tries
-- what `desk` will run.
GRANT USAGE ON SCHEMA code TO book_reader, worker, desk, auth_owner;
GRANT SELECT ON code.entry TO book_reader, worker, desk, auth_owner;
GRANT SELECT ON code.scheduled_dose, code.test_unit, code.reuse_rule TO book_reader;
