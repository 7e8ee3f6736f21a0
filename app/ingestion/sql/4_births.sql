-- owner: auth_owner
-- A newborn has no number yet. A birth certificate (XML9) in the mother's visit tells whose child it is: by the minute of
-- birth, the sex and the name on it, at the same facility, and only when one child alone fits.
-- The lock makes a newborn's message and the mother's take turns, so that none waits for what is there already.
CREATE OR REPLACE FUNCTION auth.newborns(facility text, moment timestamptz, sent auth.citizen) RETURNS uuid[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(facility || ' ' || extract(epoch FROM moment), 3));
  RETURN array(SELECT DISTINCT b.child_id FROM auth.birth b JOIN auth.citizen c ON c.id = b.child_id
    WHERE b.facility_code = facility AND b.born_at = moment AND c.sex = sent.sex
      AND sent.name_key IN (c.name_key, b.mother_key, 'CON BA ' || b.mother_key));
END $$;

-- Registers the child of a certificate, once, and takes up the newborns' visits that waited for it. `visit_of` is the
-- person of the visit, the mother where the certificate names no other number. Without a mother that is known, nothing.
CREATE OR REPLACE FUNCTION auth.register_birth(message uuid, facility text, visit_of uuid, told jsonb) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  child auth.citizen := jsonb_populate_record(NULL::auth.citizen, told);
  card auth.identifier := jsonb_populate_record(NULL::auth.identifier, told->'card');
  number auth.identifier := jsonb_populate_record(NULL::auth.identifier, told->'mother');
  mother uuid := CASE WHEN number.lookup IS NULL THEN visit_of ELSE (SELECT i.citizen_id FROM auth.identifier i
                       WHERE i.kind = number.kind AND i.lookup = number.lookup AND i.valid_until IS NULL) END;
  born timestamptz := (told->>'born_at')::timestamptz; known uuid;
BEGIN
  SELECT b.child_id INTO known FROM auth.birth b WHERE b.facility_code = facility AND b.mother_id = mother
     AND b.certificate = told->>'certificate' AND b.born_at = born;
  IF mother IS NULL OR FOUND THEN
    PERFORM auth.name_by_card(known, card, message);
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(facility || ' ' || extract(epoch FROM born), 3));
  child.id := coalesce(auth.child_of_card(card, child, mother, told->>'certificate'), child.id);
  child.registered_at := clock_timestamp();
  SELECT coalesce(child.full_name, 'Con bà ' || c.full_name), coalesce(child.name_key, 'CON BA ' || c.name_key)
    INTO child.full_name, child.name_key FROM auth.citizen c WHERE c.id = mother;
  INSERT INTO auth.citizen SELECT child.* ON CONFLICT (id) DO NOTHING;
  INSERT INTO auth.book (citizen_id, changed_at) VALUES (child.id, clock_timestamp()) ON CONFLICT (citizen_id) DO NOTHING;
  PERFORM auth.name_by_card(child.id, card, message);
  INSERT INTO auth.birth SELECT (told->>'birth_id')::uuid, facility, mother, child.id, told->>'certificate', born, c.name_key,
    clock_timestamp(), message FROM auth.citizen c WHERE c.id = mother ON CONFLICT DO NOTHING;
  PERFORM auth.represent_newborn(mother, child.id, born, message);
  PERFORM intake.replay_newborns(facility);
  RETURN child.id;
END $$;
