-- owner: book_owner
-- The reports of a message with every line that stands in them: what they refer to, and what was told alone since. What a report
-- tells itself has its rank again, not one of its own.
CREATE OR REPLACE FUNCTION book.whole_reports(citizen uuid, visit uuid, arrived jsonb, ranks jsonb, taken text[], rank text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE reports jsonb := arrived->'reports';
BEGIN
  UPDATE book.arrival_order o SET ranks = o.ranks - ARRAY(
      SELECT book.mark_of(e->>'source_id', l) FROM jsonb_array_elements(arrived->'reports') e, jsonb_array_elements(e->'results') l
       WHERE o.ranks->>book.mark_of(e->>'source_id', l) <= rank AND 'TEST_REPORT ' || (e->>'source_id') = ANY (taken))
    FROM book.visit v WHERE v.citizen_id = citizen AND v.id = visit AND (o.citizen_id, o.facility_code, o.source_id) = (citizen, v.facility_code, v.source_id)
     AND EXISTS (SELECT FROM jsonb_object_keys(o.ranks) k WHERE starts_with(k, 'RESULT '));
  IF arrived ? 'referred' THEN
    reports := book.with_referred(citizen, visit, reports, arrived->'referred');
  END IF;
  RETURN book.with_newer_results(citizen, visit, reports, ranks, rank);
END $$;
REVOKE ALL ON FUNCTION book.whole_reports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.whole_reports TO worker;
