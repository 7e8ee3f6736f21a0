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
  about text;
BEGIN
  IF NOT auth.was_opened(granted.practitioner, granted.citizen_id, told) THEN
    PERFORM auth.count_book(granted.practitioner, granted.citizen_id);
    PERFORM notice.happened(granted.citizen_id, 'BOOK_OPENED', jsonb_build_object('grant', wanted_grant, 'facility', granted.facility), told);
  END IF;
  -- The line of nearly every reading has all of these and no more; any other is made canonical the long way.
  IF granted.scope @> '{"facilities": null, "records": null, "since": null, "until": null}' AND granted.purpose IS NOT NULL
     AND variables IS NOT NULL AND request IS NOT NULL AND granted.version IS NOT NULL THEN
    about := format('{"facility":%s,"grant":"%s","kind":"%s","operation":%s,"purpose":%s,"request":%s,"sections":%s,"sensitive":%s,'
        '"variables":"%s","version":%s}', JSON_SCALAR(granted.facility), wanted_grant, granted.kind, JSON_SCALAR(operation),
      JSON_SCALAR(granted.purpose), JSON_SCALAR(request), granted.scope->'sections', granted.scope->'sensitive', encode(variables, 'hex'), granted.version);
  ELSE
    about := audit.canonical(jsonb_strip_nulls(granted.scope || jsonb_build_object('facility', granted.facility, 'grant', wanted_grant,
      'kind', granted.kind, 'operation', operation, 'purpose', granted.purpose, 'request', request, 'variables', encode(variables, 'hex'),
      'version', granted.version)));
  END IF;
  line := audit.append(granted.citizen_id, 'BOOK_OPENED', 'VIEW', 'PRACTITIONER', granted.practitioner, granted.practitioner_name,
                       granted.facility, about);
  INSERT INTO auth.announcement VALUES (granted.citizen_id, line, clock_timestamp(), granted.practitioner, wanted_grant, operation, pg_current_xact_id());
  RETURN line;
END $$;
REVOKE ALL ON FUNCTION auth.announce FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.announce TO book_reader;
