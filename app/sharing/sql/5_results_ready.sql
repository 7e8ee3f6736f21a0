-- owner: auth_owner
-- Says that new results of a visit are in a book; once a day for each visit, and only for a book that is open for filing.
CREATE OR REPLACE FUNCTION auth.results_ready(citizen uuid, visit uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF citizen <> ALL (auth.filing_citizens()) THEN
    RAISE EXCEPTION 'this book is not open for filing' USING ERRCODE = '28000';
  END IF;
  PERFORM notice.happened(citizen, 'RESULT_READY', jsonb_build_object('visit', visit), concat_ws(' ', 'results', visit, auth.today()));
END $$;
REVOKE ALL ON FUNCTION auth.results_ready FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.results_ready TO worker;
