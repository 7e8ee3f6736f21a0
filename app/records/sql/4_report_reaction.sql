-- owner: book_writer
-- Writes what the signed-in citizen reports of a dose, theirs or a dependant's. `told`: id, vaccination_id, description,
-- reacted_at, severity. SK404: no such dose · SK422: at a time that cannot be · SK409: twenty reports of one dose are enough.
CREATE OR REPLACE FUNCTION book.report_reaction(target uuid, told jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  opened record := auth.open_reporting(target, jsonb_build_object('records', jsonb_build_array(told->'vaccination_id')));
  reported book.reported_reaction := jsonb_populate_record(NULL::book.reported_reaction, told);
  dose record;
BEGIN
  SELECT v.dose_id, v.injected_at, v.antigens, v.masked, v.sensitive INTO dose FROM book.vaccination v
   WHERE v.citizen_id = opened.citizen AND v.id = reported.vaccination_id AND v.status = 'GIVEN' AND (NOT v.masked OR opened.unmasked);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such dose' USING ERRCODE = 'SK404';
  ELSIF reported.reacted_at < dose.injected_at - interval '1 day' OR reported.reacted_at > clock_timestamp() + interval '5 minutes' THEN
    RAISE EXCEPTION 'not a time of a reaction' USING ERRCODE = 'SK422';
  ELSIF (SELECT count(*) FROM book.reported_reaction r WHERE r.citizen_id = opened.citizen AND r.dose_id = dose.dose_id) >= 20 THEN
    RAISE EXCEPTION 'enough reports' USING ERRCODE = 'SK409';
  END IF;
  reported.citizen_id := opened.citizen; reported.dose_id := dose.dose_id; reported.antigens := dose.antigens;
  reported.injected_on := (dose.injected_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date; reported.masked := dose.masked; reported.sensitive := dose.sensitive;
  reported.reported_by := opened.reporter; reported.reported_at := clock_timestamp(); reported.changed_in := pg_current_xact_id();
  INSERT INTO book.reported_reaction SELECT reported.*;
  RETURN reported.id;
END $$;
REVOKE ALL ON FUNCTION book.report_reaction FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.report_reaction TO desk;
