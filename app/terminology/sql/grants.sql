-- owner: book_owner
-- Code lists are public facts; only `sokhoe migrate` and `sokhoe codes load` write them.
GRANT USAGE ON SCHEMA code TO book_reader, worker, desk;
GRANT SELECT ON code.entry TO book_reader, worker, desk;
GRANT SELECT ON code.scheduled_dose TO book_reader;
