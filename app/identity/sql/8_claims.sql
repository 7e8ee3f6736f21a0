-- owner: auth_owner
-- The service door decides a claim with the papers in hand: both numbers are typed from them and must be those of the claim,
-- whose child must have the name and birth date that were claimed. SK404: no open claim, or no such child · SK422: the papers
-- name others · SK409: that person represents the child already.
CREATE OR REPLACE FUNCTION auth.approve_claim(which uuid, told jsonb, typed_dependant bytea, typed_claimant bytea) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE claim auth.representation_claim; child uuid; made uuid;
BEGIN
  SELECT c.* INTO claim FROM auth.representation_claim c WHERE c.id = which AND c.decided_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such claim' USING ERRCODE = 'SK404';
  ELSIF claim.dependant_lookup <> typed_dependant OR NOT EXISTS (SELECT FROM auth.identifier i WHERE i.citizen_id = claim.claimant_id
      AND i.kind = 'PERSONAL_ID' AND i.lookup = typed_claimant AND i.valid_until IS NULL) THEN
    RAISE EXCEPTION 'the papers name others' USING ERRCODE = 'SK422';
  END IF;
  SELECT c.id INTO child FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id
   WHERE i.kind = 'PERSONAL_ID' AND i.lookup = claim.dependant_lookup AND i.valid_until IS NULL AND c.closed_at IS NULL AND c.id <> claim.claimant_id
     AND c.name_key = claim.dependant_key AND c.birth_on = claim.dependant_born_on;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such child' USING ERRCODE = 'SK404';
  END IF;
  made := auth.register_representation(told || jsonb_build_object('dependant_id', child, 'representative_id', claim.claimant_id, 'kind', claim.kind));
  IF made IS NULL THEN
    RAISE EXCEPTION 'represented already' USING ERRCODE = 'SK409';
  END IF;
  UPDATE auth.representation_claim c SET decision = 'APPROVED', decided_at = clock_timestamp(), representation_id = made WHERE c.id = which;
  RETURN made;
END $$;

CREATE OR REPLACE FUNCTION auth.refuse_claim(which uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE auth.representation_claim c SET decision = 'REFUSED', decided_at = clock_timestamp() WHERE c.id = which AND c.decided_at IS NULL;
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION auth.approve_claim, auth.refuse_claim FROM PUBLIC;
