-- owner: auth_owner
-- Writes down that a practitioner is about to read a book by a grant, and returns the line's number. It must be committed
-- before the reading: the operation demands an announcement of another transaction, and takes it for itself
-- (auth.take_announcement).
-- `variables` is a digest of what the operation is asked with. SK404: no such grant · SK429: more books
-- than one person reads in a day · SK503: the line cannot be written.
CREATE OR REPLACE FUNCTION auth.announce(token text, proof_key bytea, wanted_grant uuid, operation text, variables bytea, request text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  granted record := auth.live_grant(token, substr(proof_key, 1, 32), wanted_grant);
  line bigint;
  is_spent boolean := CASE WHEN length(proof_key) > 32 THEN auth.spend_proof(granted.session, proof_key) END;
  told text := 'book-opened-' || wanted_grant;
BEGIN
  IF NOT auth.was_opened(granted.practitioner, granted.citizen_id, told) THEN
    PERFORM auth.count_book(granted.practitioner, granted.citizen_id);
    PERFORM notice.happened(granted.citizen_id, 'BOOK_OPENED', jsonb_build_object('grant', wanted_grant, 'facility', granted.facility), told);
  END IF;
  line := audit.append(granted.citizen_id, 'BOOK_OPENED', 'VIEW', 'PRACTITIONER', granted.practitioner, granted.practitioner_name, granted.facility,
    concat('{', '"facilities":' || audit.canonical(nullif(granted.scope->'facilities', 'null')) || ',',
      format('"facility":%s,"grant":"%s","kind":"%s",', CAST(JSON_SCALAR(granted.facility) AS text), wanted_grant, granted.kind),
      '"operation":' || CAST(JSON_SCALAR(operation) AS text) || ',', '"purpose":"' || granted.purpose || '",',
      '"records":' || audit.canonical(nullif(granted.scope->'records', 'null')) || ',', '"request":' || CAST(JSON_SCALAR(request) AS text) || ',',
      format('"sections":%s,"sensitive":%s', granted.scope->'sections', granted.scope->'sensitive'),
      ',"since":"' || (granted.scope->>'since') || '"', ',"until":"' || (granted.scope->>'until') || '"',
      ',"variables":"' || encode(variables, 'hex') || '"', ',"version":' || granted.version, '}'));
  INSERT INTO auth.announcement VALUES (granted.citizen_id, line, clock_timestamp(), granted.practitioner, wanted_grant, operation, pg_current_xact_id());
  RETURN line;
END $$;
REVOKE ALL ON FUNCTION auth.announce FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.announce TO book_reader;
