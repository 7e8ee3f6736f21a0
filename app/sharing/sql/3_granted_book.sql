-- owner: auth_owner
-- Which book a grant opens to this viewer now, and what its line in the visitors' book tells of it (kind, purpose, facility,
-- sections, since, until and so on). SK404: there is no such grant for this viewer.
CREATE OR REPLACE FUNCTION auth.granted_book(live auth.session, wanted_grant uuid, OUT citizen_id uuid, OUT about jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE granted auth.book_grant := auth.judge_grant(live, wanted_grant);
BEGIN
  citizen_id := granted.citizen_id;
  about := granted.scope || jsonb_build_object('kind', granted.kind, 'purpose', granted.purpose, 'facility', granted.facility_code);
END $$;
REVOKE ALL ON FUNCTION auth.granted_book FROM PUBLIC;
