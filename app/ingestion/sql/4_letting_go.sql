-- owner: auth_owner
-- A number that was written for the wrong person, in a visit that its facility took back since, names that person still. When the number
-- is told of somebody else, a person of whom nothing stands lets go of theirs: no visit or record that was not taken back, no account,
-- activation code, representation, birth or join. Their book stays as it is and has no number any more. True: the numbers are free.
CREATE OR REPLACE FUNCTION auth.let_go(holder uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- As match_person does: a message about the holder that is being filed is waited for, and then stands.
  PERFORM pg_advisory_xact_lock(hashtextextended(encode(n.lookup, 'hex'), 0)) FROM (SELECT i.lookup FROM (
    SELECT o.* FROM auth.identifier o WHERE o.citizen_id = holder OFFSET 0) i  -- all numbers that hold have an index of their own
    WHERE i.valid_until IS NULL ORDER BY i.lookup) n;
  IF EXISTS (SELECT FROM auth.filing f WHERE f.citizen_id = holder AND f.withdrawn_at IS NULL)
     OR NOT EXISTS (SELECT FROM auth.filing f WHERE f.citizen_id = holder)
     OR EXISTS (SELECT FROM auth.account a WHERE a.citizen_id = holder) OR EXISTS (SELECT FROM auth.activation a WHERE a.citizen_id = holder)
     OR EXISTS (SELECT FROM auth.representation r WHERE holder IN (r.dependant_id, r.representative_id))
     OR EXISTS (SELECT FROM auth.birth b WHERE holder IN (b.child_id, b.mother_id))
     OR EXISTS (SELECT FROM auth.identifier_join j WHERE holder IN (j.citizen_id, j.other_id)) THEN
    RETURN false;
  END IF;
  PERFORM auth.take_up_of(ARRAY[holder]);
  UPDATE auth.identifier i SET valid_until = clock_timestamp() WHERE i.citizen_id = holder AND i.valid_until IS NULL;
  DELETE FROM intake.sent_resource r WHERE r.citizen_id = holder AND r.kind = 'PATIENT';
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION auth.let_go FROM PUBLIC;
