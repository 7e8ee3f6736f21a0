-- owner: auth_owner
-- Counts the books that a practitioner opens: 300 people a day are the most, and 100 raise an alarm. SK429.
CREATE OR REPLACE FUNCTION auth.count_book(viewer uuid, citizen uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE opened int; today date := (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
BEGIN
  INSERT INTO auth.book_use VALUES (viewer, today, citizen) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    SELECT count(*) INTO opened FROM auth.book_use u WHERE u.practitioner_id = viewer AND u.used_on = today;
    IF opened > 300 THEN
      RAISE EXCEPTION 'too many books in a day' USING ERRCODE = 'SK429';
    END IF;
    IF opened >= 100 THEN
      PERFORM auth.raise_alarm('MANY_BOOKS', viewer::text);
    END IF;
  END IF;
END $$;

-- Whether this book was counted today and its owner was told by this event: nearly always, and both would do nothing.
CREATE OR REPLACE FUNCTION auth.was_opened(viewer uuid, citizen uuid, told text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE today date := (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;
BEGIN
  RETURN EXISTS (SELECT FROM auth.book_use u, notice.event e WHERE u.practitioner_id = viewer AND u.used_on = today AND u.citizen_id = citizen
                    AND e.citizen_id = citizen AND e.dedupe_key = told);
END $$;
REVOKE ALL ON FUNCTION auth.count_book, auth.was_opened FROM PUBLIC;
