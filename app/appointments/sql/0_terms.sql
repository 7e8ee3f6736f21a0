-- owner: auth_owner
-- What a facility asks of those who book there; `terms` are the settings', where it has told nothing.
CREATE OR REPLACE FUNCTION care.terms_of(facility text, terms jsonb) RETURNS care.booking_rule
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE rule care.booking_rule;
BEGIN
  SELECT r.* INTO rule FROM care.booking_rule r WHERE r.facility_code = facility;
  IF NOT FOUND THEN
    rule := jsonb_populate_record(NULL::care.booking_rule, terms);
  END IF;
  RETURN rule;
END $$;
REVOKE ALL ON FUNCTION care.terms_of FROM PUBLIC;
