-- owner: book_owner
-- Who sent a record, and under which id: its first sender, and those who sent it again after a change of system or for a predecessor.
-- Runs as its caller: a viewer who does not see the whole book is told of those who sent it again alone.
CREATE OR REPLACE FUNCTION book.sources_of(citizen uuid, record uuid)
RETURNS TABLE (place int, facility_code text, source_id text, message_id uuid, at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT row_number() OVER (ORDER BY s.at, s.facility_code, s.source_id)::int, s.facility_code, s.source_id, s.message_id, s.at FROM (
    SELECT v.facility_code, (SELECT r.home_source_id FROM auth.resent r WHERE r.citizen_id = citizen AND r.record_id = record LIMIT 1) AS source_id,
           v.message_id, v.filed_at AS at
      FROM book.record_version v WHERE v.citizen_id = citizen AND v.record_id = record AND v.version = 1
    UNION ALL
    SELECT r.facility_code, r.source_id, r.message_ids[1], r.resent_at FROM auth.resent r
     WHERE r.citizen_id = citizen AND r.record_id = record AND r.undone_at IS NULL) s;
END $$;
REVOKE ALL ON FUNCTION book.sources_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.sources_of TO book_reader;
