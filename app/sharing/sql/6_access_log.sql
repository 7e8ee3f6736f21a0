-- owner: auth_owner
-- Whose visitors' books the signed-in citizen may read: their own, and those of the people for whom they act in
-- everything (who may share for them). A representative from whom something may be hidden would learn there that it is.
CREATE OR REPLACE FUNCTION auth.my_visitors_books() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array_prepend((live).citizen_id, array(SELECT DISTINCT r.dependant_id FROM auth.representation r
     WHERE r.representative_id = (live).citizen_id AND auth.may_share_for((live).citizen_id, r.dependant_id)))
    FROM auth.my_session() live
$$;
REVOKE ALL ON FUNCTION auth.my_visitors_books FROM PUBLIC;

-- The citizen whose visitors' book is meant: the one who is named, or oneself. SK404: not for this viewer, or no such
-- citizen · SK403: the viewer's account is below the level of a book.
CREATE OR REPLACE FUNCTION auth.visitors_book(target text) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE citizen uuid;
BEGIN
  citizen := CASE WHEN target IS NULL THEN auth.me() WHEN pg_input_is_valid(target, 'uuid') THEN target::uuid END;
  IF (citizen = ANY (auth.my_visitors_books())) IS NOT TRUE THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
  IF coalesce((auth.my_session()).level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  RETURN citizen;
END $$;
REVOKE ALL ON FUNCTION auth.visitors_book FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.my_visitors_books, auth.visitors_book TO desk;

DO $$
DECLARE t text;
BEGIN
  -- What was shared tells what there is: a scope names records and classes.
  FOREACH t IN ARRAY ARRAY['share_code', 'book_grant', 'share_try'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS own ON auth.%I', t);
    EXECUTE format('CREATE POLICY own ON auth.%I FOR SELECT TO desk USING (citizen_id = ANY ((SELECT auth.my_visitors_books())::uuid[]))', t);
  END LOOP;
  DROP POLICY IF EXISTS own ON auth.share_request;
  CREATE POLICY own ON auth.share_request FOR SELECT TO desk USING (asked_of = ANY ((SELECT auth.my_visitors_books())::uuid[]));
  FOREACH t IN ARRAY ARRAY['line', 'leaf', 'question'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS own ON audit.%I', t);
    EXECUTE format('CREATE POLICY own ON audit.%I FOR SELECT TO desk
      USING (citizen_id = ANY ((SELECT auth.my_visitors_books())::uuid[]))', t);
    EXECUTE format('GRANT SELECT ON audit.%I TO desk', t);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION audit.canonical, audit.body, audit.body_of, audit.line_body, audit.proof_path TO desk;
