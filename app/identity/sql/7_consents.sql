-- owner: auth_owner
-- The signed-in citizen agrees to a text that is in force, by its purpose and version. SK422: no such text today, or one
-- that belongs to a deed of its own · SK409: agreed already.
CREATE OR REPLACE FUNCTION auth.give_consent(new_id uuid, wanted text, read_version int, read_in text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session();
BEGIN
  IF live.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
  ELSIF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  PERFORM FROM auth.consent_text t WHERE t.purpose = wanted AND t.version = read_version AND wanted NOT IN ('REPRESENTATION', 'SHARING')
      AND auth.today() BETWEEN t.valid_from AND coalesce(t.valid_until, 'infinity');
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such text' USING ERRCODE = 'SK422';
  END IF;
  INSERT INTO auth.consent (id, citizen_id, purpose, version, language, given_at, given_by, confirmed_by)
  VALUES (new_id, live.citizen_id, wanted, read_version, read_in, clock_timestamp(), live.citizen_id, 'SIGNED_IN')
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'agreed already' USING ERRCODE = 'SK409';
  END IF;
  PERFORM audit.write_line(live.citizen_id, 'CONSENT_GIVEN', live, jsonb_build_object('consent', new_id, 'purpose', wanted));
  RETURN new_id;
END $$;

-- Takes a consent back, as easily as it was given: no second factor. A mandate or a share ends with its own. SK404: none of theirs.
CREATE OR REPLACE FUNCTION auth.withdraw_consent(which uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); taken auth.consent; r auth.representation;
BEGIN
  UPDATE auth.consent c SET withdrawn_at = clock_timestamp(), withdrawn_by = live.citizen_id
   WHERE c.id = which AND c.citizen_id = live.citizen_id AND c.withdrawn_at IS NULL RETURNING c.* INTO taken;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such consent' USING ERRCODE = 'SK404';
  END IF;
  PERFORM audit.write_line(live.citizen_id, 'CONSENT_WITHDRAWN', live, jsonb_build_object('consent', which, 'purpose', taken.purpose));
  PERFORM auth.end_share_of(taken.about_id, live);
  UPDATE auth.representation o SET ended_at = clock_timestamp(), ended_by = live.citizen_id
   WHERE o.id = taken.about_id AND o.ended_at IS NULL RETURNING o.* INTO r;
  IF FOUND THEN
    PERFORM audit.write_line(r.dependant_id, 'GUARDIAN_ENDED', live, jsonb_build_object('representation', r.id, 'kind', r.kind));
    PERFORM auth.tell_family(r, 'GUARDIAN_ENDED');
  END IF;
  RETURN which;
END $$;
REVOKE ALL ON FUNCTION auth.give_consent, auth.withdraw_consent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.give_consent, auth.withdraw_consent TO desk;

-- Writes down that the signed-in citizen agreed by a deed of its own (a mandate, a grant), confirmed by a second factor.
CREATE OR REPLACE FUNCTION auth.note_consent(live auth.session, for_purpose text, about uuid, read_in text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.consent (id, citizen_id, purpose, version, language, about_id, given_at, given_by, confirmed_by)
  SELECT uuidv7(), live.citizen_id, t.purpose, t.version, coalesce(read_in, nullif(current_setting('desk.language', true), ''), 'vi'), about, clock_timestamp(), live.citizen_id, 'SECOND_FACTOR'
    FROM auth.consent_text t WHERE t.purpose = for_purpose AND auth.today() BETWEEN t.valid_from AND coalesce(t.valid_until, 'infinity')
   ORDER BY t.version DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION auth.note_consent FROM PUBLIC;
