-- owner: auth_owner
-- Names and levels of facilities are public facts; only the service door registers them.
GRANT USAGE ON SCHEMA directory TO book_reader, worker, desk;
GRANT SELECT ON directory.facility TO book_reader, worker, desk;
GRANT SELECT ON directory.laboratory_level TO book_reader;
GRANT SELECT ON directory.facility_change TO worker;
