-- owner: auth_owner
-- Takes an announced line for one opening of a book, and tells whether it was there. A line opens once, also when the
-- opening is rolled back: whoever locked or deleted a row and rolled back leaves `xmax` in it (PostgreSQL, system columns).
-- Two at once do not wait for each other: the second is refused.
CREATE OR REPLACE FUNCTION auth.spend_announcement(citizen uuid, line_number bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM auth.announcement a WHERE a.ctid = ANY (ARRAY(
    SELECT w.ctid FROM auth.announcement w WHERE w.citizen_id = citizen AND w.n = line_number AND w.xmax = 0 FOR UPDATE SKIP LOCKED));
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION auth.spend_announcement FROM PUBLIC;
