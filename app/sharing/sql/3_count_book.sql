-- owner: auth_owner
-- Counts the books that a practitioner opens: 300 people a day are the most, and 100 raise an alarm. SK429.
CREATE OR REPLACE FUNCTION auth.count_book(live auth.session, citizen uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE opened int; today date := (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
BEGIN
  INSERT INTO auth.book_use VALUES (live.practitioner_id, today, citizen) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    SELECT count(*) INTO opened FROM auth.book_use u WHERE u.practitioner_id = live.practitioner_id AND u.used_on = today;
    IF opened > 300 THEN
      RAISE EXCEPTION 'too many books in a day' USING ERRCODE = 'SK429';
    END IF;
    IF opened >= 100 THEN
      PERFORM auth.raise_alarm('MANY_BOOKS', live.practitioner_id::text);
    END IF;
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.count_book FROM PUBLIC;
