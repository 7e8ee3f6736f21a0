-- owner: auth_owner
-- Lets what names `other` name `mine` from now on. Nothing is moved by hand: every message about the other one is filed again.
CREATE OR REPLACE FUNCTION auth.join_books(join_id uuid, mine uuid, other uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE made auth.identifier_join;
BEGIN
  made.id := join_id; made.citizen_id := mine; made.other_id := other; made.joined_at := clock_timestamp();
  made.identifier_ids := array(SELECT i.id FROM auth.identifier i WHERE i.citizen_id = other AND i.valid_until IS NULL);
  made.message_ids := array(SELECT DISTINCT f.message_id FROM auth.filing f WHERE f.citizen_id = other);
  INSERT INTO auth.identifier_join SELECT made.*;
  UPDATE auth.identifier i SET citizen_id = mine WHERE i.id = ANY (made.identifier_ids);
  UPDATE auth.filing f SET citizen_id = mine WHERE f.citizen_id = other;
  UPDATE auth.citizen c SET closed_at = made.joined_at WHERE c.id = other;
  PERFORM intake.file_again(made.message_ids); PERFORM auth.take_up_of(ARRAY[mine]);
END $$;
REVOKE ALL ON FUNCTION auth.join_books FROM PUBLIC;
