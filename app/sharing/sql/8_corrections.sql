-- owner: auth_owner
-- What people ask facilities to correct. Its words are sealed. Its owner and who represents them see it in the open book; the
-- facility sees those about its own records, by its token.
ALTER TABLE auth.correction ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS deciding ON auth.correction;
CREATE POLICY deciding ON auth.correction TO auth_owner USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS open_book ON auth.correction;
CREATE POLICY open_book ON auth.correction FOR SELECT TO book_reader
  USING (citizen_id = (SELECT CASE WHEN coalesce(nullif(current_setting('book.private', true), ''), auth.no_book())::boolean
                                   THEN current_setting('book.citizen')::uuid END));
GRANT SELECT ON auth.correction TO book_reader;

-- Writes one down, of a book that is open for it. SK409: five of one record wait.
CREATE OR REPLACE FUNCTION auth.note_correction(asked auth.correction) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF asked.citizen_id <> ALL (auth.filing_citizens()) THEN
    RAISE EXCEPTION 'no book is open' USING ERRCODE = '28000';
  ELSIF (SELECT count(*) FROM auth.correction c WHERE c.citizen_id = asked.citizen_id AND c.record_id = asked.record_id
          AND c.requested_at > now() - interval '30 days') >= 5 THEN
    RAISE EXCEPTION 'enough requests' USING ERRCODE = 'SK409';
  END IF;
  asked.requested_by := (auth.my_session()).citizen_id; asked.requested_at := clock_timestamp();
  INSERT INTO auth.correction SELECT asked.*;
END $$;

CREATE OR REPLACE FUNCTION auth.corrections_of(token text, since timestamptz, after_id uuid, page int)
RETURNS TABLE (id uuid, kind text, visit text, key text, words bytea, requested_at timestamptz, answer_by date, correct_by date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.id, c.kind, c.visit_source_id, c.source_id, c.words_sealed, c.requested_at, c.answer_by, c.correct_by FROM auth.correction c
   WHERE c.facility_code = auth.calling_facility(token) AND (c.requested_at, c.id) > (since, after_id)
   ORDER BY c.requested_at, c.id LIMIT page
$$;
REVOKE ALL ON FUNCTION auth.note_correction, auth.corrections_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.note_correction TO book_writer;
GRANT EXECUTE ON FUNCTION auth.corrections_of TO ingest;
