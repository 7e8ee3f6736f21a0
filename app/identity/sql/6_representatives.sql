-- owner: auth_owner
-- The signed-in citizen asks somebody, known by personal id and name, to represent them (an adult's mandate), or their
-- child beside them. Whether there is such a person, the asker does not learn: the other one accepts, or nobody does.
-- SK404: no such book, or no right to share it · SK422: a mandate of a child, or another kind · SK409: asked already, or enough.
CREATE OR REPLACE FUNCTION auth.ask_representative(target uuid, asked jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  live auth.session := auth.my_citizen_session('GUARDIANS');
  r auth.representation := jsonb_populate_record(NULL::auth.representation, asked);
  is_child boolean; is_asked boolean; are_enough boolean;
BEGIN
  r.dependant_id := coalesce(target, live.citizen_id);
  IF r.dependant_id <> live.citizen_id AND NOT (auth.representation(live, r.dependant_id)).may_share THEN
    RAISE EXCEPTION 'no right to share' USING ERRCODE = 'SK404';
  END IF;
  SELECT (auth.band_on(c.birth_on, auth.today())).extent <> 'NONE' INTO is_child
    FROM auth.citizen c WHERE c.id = r.dependant_id FOR UPDATE;  -- a family's changes take turns
  IF (r.kind = 'MANDATE') <> (r.dependant_id = live.citizen_id) OR (r.kind = 'MANDATE') = is_child OR r.kind = 'COURT'
     OR (r.kind = 'MANDATE') <> (r.extent IS NOT NULL) OR r.extent = 'NONE' OR r.valid_until < auth.today() THEN
    RAISE EXCEPTION 'not to be asked' USING ERRCODE = 'SK422';
  END IF;
  SELECT count(*) > 7, bool_or(o.representative_lookup = r.representative_lookup AND o.kind = r.kind) INTO are_enough, is_asked
    FROM auth.representation o WHERE o.dependant_id = r.dependant_id AND o.ended_at IS NULL AND coalesce(o.valid_until, 'infinity') >= auth.today();
  IF is_asked THEN
    RAISE EXCEPTION 'asked already' USING ERRCODE = 'SK409';
  ELSIF are_enough THEN
    RAISE EXCEPTION 'enough representatives' USING ERRCODE = 'SK409';
  END IF;
  r.evidence := CASE r.kind WHEN 'MANDATE' THEN 'DEPENDANT' ELSE 'REPRESENTATIVE' END;
  r.valid_from := auth.today();  -- a mandate without an end lasts a year (Civil Code 2015 Art. 563)
  r.valid_until := coalesce(r.valid_until, CASE r.kind WHEN 'MANDATE' THEN (auth.today() + interval '1 year')::date - 1 END);
  r.added_at := clock_timestamp(); r.added_by := live.citizen_id; r.representative_id := NULL; r.accepted_at := NULL;
  INSERT INTO auth.representation SELECT r.*;
  IF r.kind = 'MANDATE' THEN
    PERFORM auth.note_consent(live, 'REPRESENTATION', r.id, coalesce(asked->>'language', 'vi'));
  END IF;
  PERFORM audit.write_line(r.dependant_id, 'GUARDIAN_ASKED', live, jsonb_build_object('representation', r.id, 'kind', r.kind,
    'extent', r.extent, 'until', r.valid_until));
  RETURN r.id;
END $$;

REVOKE ALL ON FUNCTION auth.ask_representative FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.ask_representative TO desk;
