-- owner: auth_owner
-- Ends all that others may see of a book: live codes and grants. For the service door, when an account is closed.
CREATE OR REPLACE FUNCTION auth.end_sharing(citizen uuid, why text, OUT cancelled_codes int, OUT revoked_grants int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE one uuid;
BEGIN
  revoked_grants := 0;
  cancelled_codes := auth.cancel_live_codes(citizen, NULL::auth.session);
  FOR one IN SELECT g.id FROM auth.book_grant g WHERE g.citizen_id = citizen AND g.revoked_at IS NULL AND g.ends_at > clock_timestamp() LOOP
    PERFORM auth.end_grant(one, NULL::auth.session, why);
    revoked_grants := revoked_grants + 1;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION auth.end_sharing FROM PUBLIC;
