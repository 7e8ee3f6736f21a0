-- owner: auth_owner
-- Whether one citizen may act for another today: for themselves, and for whom they represent.
CREATE OR REPLACE FUNCTION care.may_act(actor uuid, citizen uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT actor = citizen OR EXISTS (SELECT FROM auth.representation r WHERE r.representative_id = actor AND r.dependant_id = citizen
                                       AND r.ended_at IS NULL AND auth.extent_on(r, auth.today()) <> 'NONE')
$$;

-- For whom the signed-in citizen may act.
CREATE OR REPLACE FUNCTION care.mine() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array_remove(auth.me() || auth.my_dependants(), NULL)
$$;

-- The citizen whom a change is about: oneself, or who was named. Locks their book, so that changes of one citizen take turns.
-- SK405: not a citizen's session · SK403: the account's level is too low · SK404: nobody whom this citizen may act for.
CREATE OR REPLACE FUNCTION care.act_for(target uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); citizen uuid := coalesce(target, live.citizen_id);
BEGIN
  IF live.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
  END IF;
  IF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  IF citizen <> ALL (care.mine()) THEN
    RAISE EXCEPTION 'no such citizen' USING ERRCODE = 'SK404';
  END IF;
  PERFORM FROM auth.book b WHERE b.citizen_id = citizen FOR UPDATE;
  RETURN citizen;
END $$;

-- The citizen whose row of a table the signed-in one sees, by id: locks their book as act_for does. SK404: absent, or another's.
CREATE OR REPLACE FUNCTION care.owner_of(resting regclass, wanted uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE citizen uuid; seen text := CASE resting WHEN 'care.appointment'::regclass THEN 'care.may_see_appointment'
  WHEN 'care.waitlist_entry'::regclass THEN 'care.may_see_entry' WHEN 'care.waitlist_offer'::regclass THEN 'care.may_see_offer' END;
BEGIN
  EXECUTE format('SELECT r.citizen_id FROM %s r WHERE r.citizen_id = ANY ($1) AND r.id = $2 AND %s(r.citizen_id, r.id)', resting, seen)
    INTO citizen USING care.mine(), wanted;
  IF citizen IS NULL THEN
    PERFORM care.act_for(NULL);
    RAISE EXCEPTION 'no such thing' USING ERRCODE = 'SK404';
  END IF;
  RETURN care.act_for(citizen);
END $$;

REVOKE ALL ON FUNCTION care.may_act, care.mine, care.act_for, care.owner_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.mine TO desk;
