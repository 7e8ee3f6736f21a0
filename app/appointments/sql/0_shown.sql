-- owner: auth_owner
-- Whether somebody who represents a citizen sees an appointment of theirs.
CREATE OR REPLACE FUNCTION care.is_shown(viewer uuid, citizen uuid, masked boolean, sensitive int) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (r.unmasked OR NOT masked) AND sensitive & (auth.closed_to_representatives(citizen) | CASE WHEN r.unmasked THEN 0 ELSE b.hidden_classes END) = 0
    FROM auth.representation(jsonb_populate_record(NULL::auth.session, jsonb_build_object('citizen_id', viewer)), citizen) r, auth.book b
   WHERE b.citizen_id = citizen
$$;

-- Of which classes (bits of SensitiveClass) a booking is: as its department tells, or all that may be shared where the
-- facility only says that it is sensitive.
CREATE OR REPLACE FUNCTION care.classes_in(department text, is_sensitive boolean) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN is_sensitive THEN 31 ELSE CASE split_part(department, '.', 1)
    WHEN 'K12' THEN 2 WHEN 'K15' THEN 4 WHEN 'K53' THEN 16 WHEN 'K56' THEN 16 ELSE 0 END END
$$;

-- Whether the signed-in citizen sees what somebody for whom they act waits for, is offered, or is to come to. By ids: what
-- is hidden could be found from made-up rows. Who asked for it themselves is told nothing new by it, until it is hidden by itself.
CREATE OR REPLACE FUNCTION care.may_see_entry(citizen uuid, entry uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM care.waitlist_entry e WHERE e.citizen_id = citizen AND e.id = entry AND citizen = ANY (care.mine())
    AND (auth.me() IN (citizen, e.joined_by) OR care.is_shown(auth.me(), citizen, false, care.classes_in(e.department_code, false))))
$$;

CREATE OR REPLACE FUNCTION care.may_see_offer(citizen uuid, offer uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM care.waitlist_offer o JOIN care.waitlist_entry e ON e.citizen_id = citizen AND e.id = o.entry_id
      JOIN care.slot s ON s.id = o.slot_id WHERE o.citizen_id = citizen AND o.id = offer AND care.may_see_entry(citizen, e.id)
    AND (auth.me() IN (citizen, e.joined_by) OR care.is_shown(auth.me(), citizen, false, care.classes_in(s.department_code, s.is_sensitive))))
$$;

CREATE OR REPLACE FUNCTION care.may_see_appointment(citizen uuid, appointment uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM care.appointment a WHERE a.citizen_id = citizen AND a.id = appointment AND citizen = ANY (care.mine())
    AND (citizen = auth.me() OR care.is_shown(auth.me(), citizen, a.masked, CASE WHEN a.booked_by = auth.me() THEN 0 ELSE a.sensitive END)))
$$;
REVOKE ALL ON FUNCTION care.is_shown, care.classes_in, care.may_see_entry, care.may_see_offer, care.may_see_appointment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION care.may_see_entry, care.may_see_offer, care.may_see_appointment TO desk;
