-- owner: auth_owner
-- Writes a line into a citizen's visitors' book, in the transaction of what it tells: both are there, or neither.
-- `live` says who did it; a null one is the product itself. `about` holds ids, codes, scope and purpose, never health
-- data; known keys: grant, purpose, facility, operation, variables (digest), sections (bits), since, until, version (of
-- the book), request, reason. The lines of one citizen are numbered without a gap, each names the leaf of the one before.
-- Leaf = SHA-256(0x00 || nonce || body), RFC 9162 §2.1.1: infra/decisions/0014-the-visitors-book.md
-- Openings of a book know all of it already and call audit.append themselves. SK503: as there.
CREATE OR REPLACE FUNCTION audit.write_line(citizen uuid, action text, live auth.session, about jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  about := jsonb_strip_nulls(coalesce(about, '{}'));
  RETURN audit.append(citizen, action, CASE action WHEN 'BOOK_OPENED' THEN 'VIEW' ELSE 'CHANGE' END,
    CASE WHEN live.practitioner_id IS NOT NULL THEN 'PRACTITIONER'
         WHEN live.citizen_id = citizen THEN 'OWNER' WHEN live.citizen_id IS NOT NULL THEN 'REPRESENTATIVE'
         WHEN live.facility_code IS NOT NULL THEN 'FACILITY_SYSTEM' ELSE 'SYSTEM' END,
    coalesce(live.practitioner_id, live.citizen_id),
    coalesce((SELECT p.full_name FROM auth.practitioner p WHERE p.id = live.practitioner_id),
             (SELECT c.full_name FROM auth.citizen c WHERE c.id = live.citizen_id)),
    coalesce(about->>'facility', live.via_facility_code, live.facility_code), audit.canonical(about));
END $$;
REVOKE ALL ON FUNCTION audit.write_line FROM PUBLIC;
