-- owner: auth_owner
-- Who told of a family's change: the dependant and everybody who represents them, each once.
CREATE OR REPLACE FUNCTION auth.tell_family(r auth.representation, kind text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT notice.happened(who, kind, jsonb_build_object('representation', r.id, 'dependant', r.dependant_id), kind || ':' || r.id)
    FROM (SELECT r.dependant_id UNION SELECT o.representative_id FROM auth.representation o
           WHERE o.dependant_id = r.dependant_id AND o.representative_id IS NOT NULL AND o.ended_at IS NULL) people (who)
$$;
REVOKE ALL ON FUNCTION auth.tell_family FROM PUBLIC;

-- Closes what was over by its date, so that the same person may represent them in the same way again.
CREATE OR REPLACE FUNCTION auth.end_lapsed(dependant uuid, representative uuid, as_what text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.representation o SET ended_at = (o.valid_until + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
   WHERE o.dependant_id = dependant AND o.representative_id = representative AND o.kind = as_what AND o.ended_at IS NULL AND o.valid_until < auth.today()
$$;
REVOKE ALL ON FUNCTION auth.end_lapsed FROM PUBLIC;

-- A birth certificate (XML9) makes the mother represent her newborn, when nothing else is known of the child: it was born
-- that day, no other mother is named and nobody signs in as it. A hospital cannot make somebody a stranger's parent.
CREATE OR REPLACE FUNCTION auth.represent_newborn(mother uuid, child uuid, born_at timestamptz, message uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE r auth.representation;
BEGIN
  INSERT INTO auth.representation (id, dependant_id, representative_id, kind, evidence, valid_from, added_at, accepted_at)
  SELECT uuidv7(), child, mother, 'PARENT', 'BIRTH_CERTIFICATE', c.birth_on, clock_timestamp(), clock_timestamp() FROM auth.citizen c
   WHERE c.id = child AND c.id <> mother AND c.birth_on = (born_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
     AND NOT EXISTS (SELECT FROM auth.account a WHERE a.citizen_id = child)
     AND NOT EXISTS (SELECT FROM auth.birth b WHERE b.child_id = child AND b.mother_id <> mother)
  ON CONFLICT DO NOTHING RETURNING * INTO r;
  IF r.id IS NOT NULL THEN
    PERFORM audit.write_line(child, 'GUARDIAN_ADDED', NULL::auth.session, jsonb_build_object('representation', r.id, 'kind', r.kind,
      'evidence', r.evidence, 'representative', mother, 'message', message));
    PERFORM auth.tell_family(r, 'GUARDIAN_ADDED');
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.represent_newborn FROM PUBLIC;

-- Registers a representation whose papers somebody at the service door has seen; null when there is one already.
CREATE OR REPLACE FUNCTION auth.register_representation(told jsonb) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE r auth.representation := jsonb_populate_record(NULL::auth.representation, told);
BEGIN
  r.added_at := clock_timestamp(); r.accepted_at := clock_timestamp();
  PERFORM auth.end_lapsed(r.dependant_id, r.representative_id, r.kind);
  INSERT INTO auth.representation SELECT r.* ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM audit.write_line(r.dependant_id, 'GUARDIAN_ADDED', NULL::auth.session, jsonb_build_object('representation', r.id, 'kind', r.kind,
    'evidence', r.evidence, 'representative', r.representative_id, 'extent', r.extent, 'until', r.valid_until));
  PERFORM auth.tell_family(r, 'GUARDIAN_ADDED');
  RETURN r.id;
END $$;
REVOKE ALL ON FUNCTION auth.register_representation FROM PUBLIC;
