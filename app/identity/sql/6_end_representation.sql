-- owner: auth_owner
-- The signed-in citizen's session, stepped up for an action. SK405: a practitioner's · SK403: the account's level is too low.
CREATE OR REPLACE FUNCTION auth.my_citizen_session(action text) RETURNS auth.session
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  IF live.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
  ELSIF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  PERFORM auth.require_step_up(live, action);
  RETURN live;
END $$;

-- Ends a representation at once: a representative lays their own down, an adult takes a mandate back, whoever asked or was
-- asked withdraws or declines. Nobody ends another's: two guardians cannot lock each other out (B140). SK404 for all others.
-- SK409: the last one of a child whose account runs through a representative stays.
CREATE OR REPLACE FUNCTION auth.end_representation(which uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_citizen_session('GUARDIANS'); r auth.representation;
BEGIN
  -- Whoever changes one family takes turns: of two last guardians only one can go.
  PERFORM FROM auth.citizen c WHERE c.id = (SELECT o.dependant_id FROM auth.representation o WHERE o.id = which) FOR UPDATE;
  SELECT o.* INTO r FROM auth.representation o WHERE o.id = which AND o.ended_at IS NULL AND (
    o.representative_id = live.citizen_id OR (o.dependant_id = live.citizen_id AND o.kind = 'MANDATE')
    OR (o.accepted_at IS NULL AND (o.added_by = live.citizen_id OR o.id = ANY (auth.asked_of_me()))));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such representation' USING ERRCODE = 'SK404';
  END IF;
  IF r.accepted_at IS NOT NULL AND r.kind IN ('PARENT', 'GUARDIAN') AND auth.extent_on(r, auth.today()) <> 'NONE' AND NOT EXISTS (
      SELECT FROM auth.representation o WHERE o.dependant_id = r.dependant_id AND o.id <> r.id AND o.representative_id <> r.representative_id
         AND auth.extent_on(o, auth.today()) <> 'NONE')
    AND (SELECT (auth.band_on(c.birth_on, auth.today())).unmasked FROM auth.citizen c WHERE c.id = r.dependant_id) THEN
    RAISE EXCEPTION 'the last representative' USING ERRCODE = 'SK409';
  END IF;
  -- What this representative asked and nobody has answered falls with it.
  UPDATE auth.representation o SET ended_at = clock_timestamp(), ended_by = live.citizen_id
   WHERE o.id = r.id OR (o.dependant_id = r.dependant_id AND o.accepted_at IS NULL AND o.ended_at IS NULL AND o.added_by = r.representative_id);
  UPDATE auth.consent c SET withdrawn_at = clock_timestamp(), withdrawn_by = live.citizen_id WHERE c.about_id = r.id AND c.withdrawn_at IS NULL;
  PERFORM audit.write_line(r.dependant_id, 'GUARDIAN_ENDED', live, jsonb_build_object('representation', r.id, 'kind', r.kind));
  PERFORM auth.tell_family(r, 'GUARDIAN_ENDED');
  RETURN r.id;
END $$;
REVOKE ALL ON FUNCTION auth.my_citizen_session, auth.end_representation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.end_representation TO desk;
