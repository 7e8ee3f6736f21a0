-- owner: auth_owner
-- A personal id was cancelled and issued again, because birth date or sex were corrected: the service door has seen the paper that
-- names both. From now on both numbers name the one book, so that what hospitals send under either comes into it. Who had come under
-- the new number meanwhile is joined as by join_identifier, and the citizen may undo it. Accounts of both are let go with their
-- sessions: who signs in next proves a number anew. Outcome: REISSUED, or why nothing was done: NOBODY has the old one, UNCLEAR
-- whether both are one person, or done already.
CREATE OR REPLACE FUNCTION auth.reissue_number(told jsonb, old_lookup bytea, OUT citizen uuid, OUT outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number auth.identifier := jsonb_populate_record(NULL::auth.identifier, told->'identifier');
  paper auth.citizen := jsonb_populate_record(NULL::auth.citizen, told);  -- the name, and birth date and sex as they are corrected
  known auth.citizen; other auth.citizen; of_both uuid[]; differs text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(encode(l, 'hex'), 0)) FROM (  -- as match_person does
    SELECT l FROM unnest(ARRAY[old_lookup, number.lookup]) l ORDER BY l) n;
  SELECT c.* INTO known FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id
   WHERE i.kind = 'PERSONAL_ID' AND i.lookup = old_lookup AND i.valid_until IS NULL AND c.closed_at IS NULL;
  SELECT c.* INTO other FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id
   WHERE i.kind = 'PERSONAL_ID' AND i.lookup = number.lookup AND i.valid_until IS NULL;
  IF known.id IS NULL THEN
    outcome := 'NOBODY'; RETURN;
  END IF;
  differs := auth.person_differs(known, paper);
  IF known.id = other.id OR differs = 'NAME_DIFFERS' OR (differs = 'BIRTH_DIFFERS' AND known.sex NOT IN (paper.sex, 'UNDETERMINED'))
     OR (other.id IS NOT NULL AND (other.closed_at IS NOT NULL OR auth.person_differs(other, paper) IS NOT NULL
       OR EXISTS (SELECT FROM auth.representation r WHERE other.id IN (r.dependant_id, r.representative_id)))) THEN
    outcome := 'UNCLEAR'; RETURN;
  END IF;
  IF other.id IS NULL THEN
    INSERT INTO auth.identifier (id, citizen_id, kind, lookup, sealed, valid_from)
    VALUES (number.id, known.id, 'PERSONAL_ID', number.lookup, number.sealed, clock_timestamp());
  ELSE
    PERFORM auth.join_books((told->>'join_id')::uuid, known.id, other.id);
    UPDATE auth.identifier i SET valid_from = clock_timestamp() WHERE i.kind = 'PERSONAL_ID' AND i.lookup = number.lookup AND i.citizen_id = known.id;
  END IF;
  of_both := array_remove(ARRAY[known.id, other.id], NULL);
  PERFORM auth.let_accounts_go(of_both);
  UPDATE auth.citizen c SET sex = paper.sex WHERE c.id = known.id;
  UPDATE auth.citizen c SET birth_on = paper.birth_on, birth_precision = 'DAY' WHERE c.id = known.id AND c.birth_on <> paper.birth_on;
  UPDATE auth.book b SET version = b.version + 1, changed_at = clock_timestamp() WHERE b.citizen_id = known.id;
  PERFORM auth.take_up_of(ARRAY[known.id]);
  PERFORM audit.write_line(c, 'PERSONAL_ID_REISSUED', NULL::auth.session, jsonb_build_object('join', CASE WHEN other.id IS NOT NULL THEN told->>'join_id' END)) FROM unnest(of_both) c;
  citizen := known.id; outcome := 'REISSUED';
END $$;
REVOKE ALL ON FUNCTION auth.reissue_number FROM PUBLIC;
