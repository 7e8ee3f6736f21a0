-- owner: auth_owner
-- Takes an announced line for one opening of a book, and tells whether it was announced: by this viewer for this reading,
-- within the last 10 seconds, and in a transaction that is over. Who holds the connection could else read and roll back:
-- the body was seen, the line is gone. The row's own transaction is compared, not xmin, which a savepoint would change:
-- secured reading, trap 1 (infra/decisions/0002-postgresql-is-the-guard.md).
-- A line opens once, also when the opening is rolled back: whoever locked or deleted a row and rolled back leaves `xmax`
-- in it (PostgreSQL, system columns). Two at once do not wait for each other: the second is refused.
CREATE OR REPLACE FUNCTION auth.take_announcement(citizen uuid, line_number bigint, viewer uuid, wanted_grant uuid, wanted_operation text)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM auth.announcement a WHERE a.ctid = ANY (ARRAY(
    SELECT w.ctid FROM auth.announcement w WHERE w.citizen_id = citizen AND w.n = line_number AND w.xmax = 0
       AND w.practitioner_id = viewer AND w.grant_id = wanted_grant AND w.operation = wanted_operation
       AND w.at > clock_timestamp() - interval '10 seconds' AND w.transaction <> coalesce(pg_current_xact_id_if_assigned(), '0'::xid8)
       FOR UPDATE SKIP LOCKED));
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION auth.take_announcement FROM PUBLIC;
DROP FUNCTION IF EXISTS auth.spend_announcement(uuid, bigint);  -- what earlier releases asked
DROP FUNCTION IF EXISTS audit.announced(uuid, bigint, auth.session, text, jsonb);
