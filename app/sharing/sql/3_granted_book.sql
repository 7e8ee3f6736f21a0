-- owner: auth_owner
-- Which book a grant opens to this viewer now, and what its line in the visitors' book tells of it (purpose, facility,
-- sections, since, until). SK404: there is no such grant for this viewer. Nobody can be given a grant yet.
CREATE OR REPLACE FUNCTION auth.granted_book(live auth.session, wanted_grant uuid, OUT citizen_id uuid, OUT about jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
END $$;
REVOKE ALL ON FUNCTION auth.granted_book FROM PUBLIC;
