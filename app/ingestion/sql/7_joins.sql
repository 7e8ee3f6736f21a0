-- owner: auth_owner
-- A number that hospitals know as somebody's without a personal id, an old one or an insurance card, is said to be one's
-- own. It is joined when name, birth date and sex agree and nobody signs in as the other one.
-- SK404: no such number, or not to be joined; whichever, it is not told · SK409: one's own already.
CREATE OR REPLACE FUNCTION auth.join_identifier(new_id uuid, number_kind text, number_lookup bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  live auth.session := auth.my_citizen_session('IDENTIFIERS');
  me auth.citizen := (SELECT c FROM auth.citizen c WHERE c.id = live.citizen_id);
  other auth.citizen;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(encode(number_lookup, 'hex'), 0));  -- as match_person does
  SELECT c.* INTO other FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id
   WHERE i.kind = number_kind AND i.lookup = number_lookup AND i.valid_until IS NULL;
  IF other.id = me.id THEN
    RAISE EXCEPTION 'one''s own already' USING ERRCODE = 'SK409';
  ELSIF other.id IS NULL OR other.closed_at IS NOT NULL OR auth.person_differs(other, me) IS NOT NULL OR other.birth_on <> me.birth_on
     OR 'YEAR' IN (other.birth_precision, me.birth_precision) OR (other.sex <> me.sex AND 'UNDETERMINED' NOT IN (other.sex, me.sex))
     OR EXISTS (SELECT FROM auth.identifier i WHERE i.citizen_id = other.id AND i.kind = 'PERSONAL_ID')
     OR EXISTS (SELECT FROM auth.account a WHERE a.citizen_id = other.id)
     OR EXISTS (SELECT FROM auth.representation r WHERE other.id IN (r.dependant_id, r.representative_id)) THEN
    RAISE EXCEPTION 'no such number' USING ERRCODE = 'SK404';
  END IF;
  PERFORM auth.join_books(new_id, me.id, other.id);
  PERFORM audit.write_line(me.id, 'IDENTIFIER_JOINED', live, jsonb_build_object('join', new_id, 'kind', number_kind));
  RETURN new_id;
END $$;

-- Undoes a join: the numbers name the other one again, whose book still stands as it was, and what came by the join leaves
-- this book by the queue. SK404: none of theirs.
CREATE OR REPLACE FUNCTION auth.undo_join(which uuid, OUT id uuid, OUT visits jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE live auth.session := auth.my_citizen_session('IDENTIFIERS'); undone auth.identifier_join;
BEGIN
  UPDATE auth.identifier_join j SET undone_at = clock_timestamp()
   WHERE j.id = which AND j.citizen_id = live.citizen_id AND j.undone_at IS NULL RETURNING j.* INTO undone;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such join' USING ERRCODE = 'SK404';
  END IF;
  UPDATE auth.identifier i SET citizen_id = undone.other_id WHERE i.id = ANY (undone.identifier_ids);
  UPDATE auth.citizen c SET closed_at = NULL WHERE c.id = undone.other_id;
  visits := (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('facility', f.facility_code, 'visit', f.source_id)), '[]')
               FROM auth.filing f WHERE f.message_id = ANY (undone.message_ids) AND f.citizen_id = live.citizen_id);
  UPDATE auth.filing f SET citizen_id = undone.other_id WHERE f.message_id = ANY (undone.message_ids) AND f.citizen_id = live.citizen_id;
  PERFORM intake.file_again(undone.message_ids);
  PERFORM audit.write_line(live.citizen_id, 'IDENTIFIER_JOIN_UNDONE', live, jsonb_build_object('join', which));
  id := which;
END $$;
REVOKE ALL ON FUNCTION auth.join_identifier, auth.undo_join FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.join_identifier, auth.undo_join TO desk;
