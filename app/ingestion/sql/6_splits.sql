-- owner: auth_owner
-- A split takes a visit out of one person's book: it is worked off like a withdrawal, but its facility never sent it and
-- does not see it among its receipts. `intake.message` holds it as format 'split'.
-- Takes up messages again that were filed, each once.
CREATE OR REPLACE FUNCTION intake.file_again(messages uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE m intake.message;
BEGIN
  FOR m IN UPDATE intake.message o SET status = 'received', concluded_at = NULL
            WHERE o.id = ANY (messages) AND o.status IN ('filed', 'partly') AND o.format NOT IN ('withdrawal', 'split') RETURNING o.* LOOP
    PERFORM intake.enqueue_message(m.id, m.facility_code, m.size_bytes);
  END LOOP;
END $$;

-- Keeps a split and puts it at the head of the queue. Only for the functions above and below.
CREATE OR REPLACE FUNCTION intake.keep_split(split_id uuid, facility text, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO intake.message (id, facility_code, format, digest, size_bytes, received_at, status, body)
  VALUES (split_id, facility, 'split', sha256(uuid_send(split_id)), length(sealed), clock_timestamp(), 'received', sealed);
  PERFORM jobs.enqueue('process_message', jsonb_build_object('message_id', split_id, 'facility', facility, 'size', length(sealed)),
    dedupe_key => 'message:' || split_id, priority => 1000);
END $$;

-- The visits that a message brought into the signed-in citizen's book, as {facility, visit}. SK404: none.
CREATE OR REPLACE FUNCTION auth.visits_of_message(message uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE found_visits jsonb := (SELECT jsonb_agg(DISTINCT jsonb_build_object('facility', f.facility_code, 'visit', f.source_id))
  FROM auth.filing f WHERE f.message_id = message AND f.citizen_id = auth.me() AND f.withdrawn_at IS NULL);
BEGIN
  IF found_visits IS NULL THEN
    RAISE EXCEPTION 'no such record' USING ERRCODE = 'SK404';
  END IF;
  RETURN found_visits;
END $$;

-- "This record is not mine": from now on the visit is filed for its owner no more, and leaves the book by a split.
CREATE OR REPLACE FUNCTION auth.disown_visit(split_id uuid, facility text, visit text, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_citizen_session('IDENTIFIERS');
BEGIN
  IF auth.home_of(facility, visit) IS DISTINCT FROM live.citizen_id THEN
    RAISE EXCEPTION 'no such record' USING ERRCODE = 'SK404';
  END IF;
  INSERT INTO auth.disowned_visit AS d VALUES (live.citizen_id, facility, visit, clock_timestamp())
  ON CONFLICT (citizen_id, facility_code, source_id) DO UPDATE SET disowned_at = excluded.disowned_at, undone_at = NULL;
  PERFORM intake.keep_split(split_id, facility, sealed);
  PERFORM audit.write_line(live.citizen_id, 'RECORD_DISOWNED', live, jsonb_build_object('facility', facility, 'split', split_id));
  PERFORM notice.happened(live.citizen_id, 'RECORD_DISOWNED', jsonb_build_object('facility', facility, 'split', split_id));
END $$;
REVOKE ALL ON FUNCTION intake.file_again, intake.keep_split, auth.visits_of_message, auth.disown_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.visits_of_message, auth.disown_visit TO desk;
