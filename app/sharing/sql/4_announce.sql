-- owner: auth_owner
-- Writes down that a practitioner is about to read a book by a grant, and returns the line's number. It must be committed
-- before the reading: the operation demands a line of another transaction (audit.announced), and takes it for itself
-- (auth.spend_announcement).
-- `variables` is a digest of what the operation is asked with. SK404: no such grant · SK429: more books
-- than one person reads in a day · SK503: the line cannot be written.
CREATE OR REPLACE FUNCTION auth.announce(token text, proof_key bytea, wanted_grant uuid, operation text, variables bytea, request text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  live auth.session := auth.live_session(token, substr(proof_key, 1, 32));
  granted record := auth.granted_book(live, wanted_grant);
  line bigint;
  is_spent boolean := CASE WHEN length(proof_key) > 32 THEN auth.spend_proof(live.id, proof_key) END;
BEGIN
  PERFORM auth.count_book(live, granted.citizen_id);
  PERFORM notice.happened(granted.citizen_id, 'BOOK_OPENED', jsonb_build_object('grant', wanted_grant, 'facility', granted.about->'facility'),
    'book-opened-' || wanted_grant);
  line := audit.write_line(granted.citizen_id, 'BOOK_OPENED', live, granted.about || jsonb_build_object('grant', wanted_grant,
    'operation', operation, 'variables', encode(variables, 'hex'), 'request', request,
    'version', (SELECT b.version FROM auth.book b WHERE b.citizen_id = granted.citizen_id)));
  INSERT INTO auth.announcement VALUES (granted.citizen_id, line, clock_timestamp());
  RETURN line;
END $$;
REVOKE ALL ON FUNCTION auth.announce FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.announce TO book_reader;
