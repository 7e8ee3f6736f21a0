-- owner: auth_owner
-- The person who was asked accepts, within 14 days: an adult, by the name that the asker wrote. SK404: nobody asked
-- them · SK409: they represent that person in the same way already.
CREATE OR REPLACE FUNCTION auth.accept_representation(asked uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_citizen_session('GUARDIANS'); r auth.representation;
BEGIN
  PERFORM auth.end_lapsed(o.dependant_id, live.citizen_id, o.kind) FROM auth.representation o WHERE o.id = asked;
  UPDATE auth.representation o SET representative_id = live.citizen_id, accepted_at = clock_timestamp() FROM auth.citizen me
   WHERE o.id = asked AND o.id = ANY (auth.asked_of_me()) AND me.id = live.citizen_id
     AND (auth.band_on(me.birth_on, auth.today())).extent = 'NONE'
  RETURNING o.* INTO r;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nobody asked' USING ERRCODE = 'SK404';
  END IF;
  PERFORM audit.write_line(r.dependant_id, 'GUARDIAN_ADDED', live, jsonb_build_object('representation', r.id, 'kind', r.kind,
    'evidence', r.evidence, 'extent', r.extent, 'until', r.valid_until));
  PERFORM auth.tell_family(r, 'GUARDIAN_ADDED');
  RETURN r.id;
EXCEPTION WHEN unique_violation THEN
  RAISE EXCEPTION 'you represent them already' USING ERRCODE = 'SK409';
END $$;
REVOKE ALL ON FUNCTION auth.accept_representation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.accept_representation TO desk;
