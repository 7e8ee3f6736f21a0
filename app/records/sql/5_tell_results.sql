-- owner: book_owner
-- Tells the citizen of results that were added and are new: no more than a week old, so that a hospital that sends its past
-- years tells nobody of each. What is held back as sensitive is told by no notice.
CREATE OR REPLACE FUNCTION book.tell_results(citizen uuid, visit uuid, records jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF records @? '$[*] ? (@.kind == "TEST_REPORT" && @.change == "ADDED")' AND EXISTS (SELECT FROM book.test_report r
      WHERE r.citizen_id = citizen AND r.visit_id = visit AND r.resulted_at > now() - interval '7 days' AND NOT r.masked) THEN
    PERFORM auth.results_ready(citizen, visit);
  END IF;
END $$;
REVOKE ALL ON FUNCTION book.tell_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.tell_results TO worker;
