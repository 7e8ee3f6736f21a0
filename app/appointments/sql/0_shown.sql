-- owner: auth_owner
-- Whether somebody who represents a citizen sees an appointment of theirs.
CREATE OR REPLACE FUNCTION care.is_shown(viewer uuid, citizen uuid, masked boolean, sensitive int) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (r.unmasked OR NOT masked) AND sensitive & (auth.closed_to_representatives(citizen) | CASE WHEN r.unmasked THEN 0 ELSE b.hidden_classes END) = 0
    FROM auth.representation(jsonb_populate_record(NULL::auth.session, jsonb_build_object('citizen_id', viewer)), citizen) r, auth.book b
   WHERE b.citizen_id = citizen
$$;

-- The same of the signed-in citizen.
CREATE OR REPLACE FUNCTION care.may_see(citizen uuid, masked boolean, sensitive int) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT care.is_shown(auth.me(), citizen, masked, sensitive)
$$;
REVOKE ALL ON FUNCTION care.is_shown, care.may_see FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.may_see TO desk;
