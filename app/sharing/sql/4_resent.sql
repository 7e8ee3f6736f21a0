-- owner: auth_owner
-- That a facility sent a record again under another id: ids only, as in auth.filing. Readers of an open book see its own.
ALTER TABLE auth.resent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS deciding ON auth.resent;
CREATE POLICY deciding ON auth.resent TO auth_owner USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS open_book ON auth.resent;
CREATE POLICY open_book ON auth.resent FOR SELECT TO book_reader
  USING (citizen_id = (SELECT coalesce(nullif(current_setting('book.citizen', true), ''), auth.no_book())::uuid));
GRANT SELECT ON auth.resent TO book_reader;

-- As what a record is known that a facility sends under this id, and which records were sent again in a change; of a book that is open for filing.
CREATE OR REPLACE FUNCTION auth.resent_as(citizen uuid, record_kind text, facility text, source text) RETURNS auth.resent
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r FROM auth.resent r
   WHERE (r.citizen_id, r.kind, r.facility_code, r.source_id) = (citizen, record_kind, facility, source) AND citizen = ANY (auth.filing_citizens())
$$;
CREATE OR REPLACE FUNCTION auth.resent_records(citizen uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(r.record_id), '{}') FROM auth.resent r
   WHERE r.citizen_id = citizen AND r.undone_at IS NULL AND citizen = ANY (auth.filing_citizens())
$$;
CREATE OR REPLACE FUNCTION auth.note_resent(known auth.resent, message uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.resent AS r SELECT known.citizen_id, known.kind, known.facility_code, known.source_id, known.record_id, known.home_facility_code,
      known.home_source_id, known.change_id, ARRAY[message], clock_timestamp(), NULL WHERE known.citizen_id = ANY (auth.filing_citizens())
  ON CONFLICT (citizen_id, kind, facility_code, source_id) DO UPDATE SET message_ids = r.message_ids || message WHERE message <> ALL (r.message_ids)
$$;

-- Undoes a change of a facility's system: what it sent again is known under no other id any more. Returns the records that must be put
-- back as they were, as {citizen, kind, facility, source, messages}. Run by the service door.
CREATE OR REPLACE FUNCTION auth.undo_change(which uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE resent jsonb := (SELECT coalesce(jsonb_agg(x), '[]') FROM (
  SELECT r.citizen_id AS citizen, r.kind, r.home_facility_code AS facility, r.home_source_id AS source, jsonb_agg(DISTINCT m) AS messages
    FROM auth.resent r, unnest(r.message_ids) m WHERE r.change_id = which AND r.undone_at IS NULL GROUP BY 1, 2, 3, 4) x);
BEGIN
  UPDATE directory.facility_change c SET undone_at = clock_timestamp() WHERE c.id = which AND c.undone_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such change' USING ERRCODE = 'SK404';
  END IF;
  UPDATE auth.resent r SET undone_at = clock_timestamp() WHERE r.change_id = which AND r.undone_at IS NULL;
  RETURN resent;
END $$;

CREATE OR REPLACE FUNCTION auth.follows(facility text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM directory.facility_change c WHERE c.facility_code = facility)
$$;
REVOKE ALL ON FUNCTION auth.resent_as, auth.resent_records, auth.note_resent, auth.undo_change, auth.follows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.resent_as, auth.resent_records, auth.note_resent TO worker;
