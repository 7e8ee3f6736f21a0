-- owner: auth_owner
-- Somebody says to be a child's parent or guardian: it opens nothing before the service door has seen the papers. Whether
-- there is such a child, the claimant does not learn. SK409: claimed already, or five are waiting.
DROP POLICY IF EXISTS own ON auth.representation_claim;
CREATE POLICY own ON auth.representation_claim FOR SELECT TO desk USING (claimant_id = (SELECT auth.me()));
-- Of a book's owner no claim is told: its readers may ask, and have no policy that would answer.
GRANT SELECT ON auth.representation_claim TO desk, book_reader;

CREATE OR REPLACE FUNCTION auth.claim_representation(told jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_citizen_session('GUARDIANS'); made auth.representation_claim := jsonb_populate_record(NULL::auth.representation_claim, told);
  are_enough boolean; is_claimed boolean;
BEGIN
  PERFORM FROM auth.citizen c WHERE c.id = live.citizen_id FOR UPDATE;  -- one person's claims take turns
  SELECT count(*) >= 5, bool_or((c.dependant_lookup, c.kind) = (made.dependant_lookup, made.kind))
    INTO are_enough, is_claimed FROM auth.representation_claim c WHERE c.claimant_id = live.citizen_id AND c.decided_at IS NULL;
  IF is_claimed THEN
    RAISE EXCEPTION 'claimed already' USING ERRCODE = 'SK409';
  ELSIF are_enough THEN
    RAISE EXCEPTION 'enough claims' USING ERRCODE = 'SK409';
  END IF;
  made.claimant_id := live.citizen_id; made.claimed_at := clock_timestamp();
  made.decided_at := NULL; made.decision := NULL; made.representation_id := NULL;
  INSERT INTO auth.representation_claim SELECT made.*;
  PERFORM audit.write_line(live.citizen_id, 'GUARDIAN_CLAIMED', live, jsonb_build_object('claim', made.id, 'kind', made.kind));
  RETURN made.id;
END $$;

-- Takes back a claim of the signed-in citizen that waits. SK404: none of theirs.
CREATE OR REPLACE FUNCTION auth.withdraw_claim(which uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE me uuid := auth.me();
BEGIN
  UPDATE auth.representation_claim c SET decision = 'WITHDRAWN', decided_at = clock_timestamp()
   WHERE c.id = which AND c.claimant_id = me AND c.decided_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such claim' USING ERRCODE = 'SK404';
  END IF;
  RETURN which;
END $$;
REVOKE ALL ON FUNCTION auth.claim_representation, auth.withdraw_claim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.claim_representation, auth.withdraw_claim TO desk;
