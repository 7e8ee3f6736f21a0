-- owner: auth_owner
-- Lets a person take over the record that a code activates: what the identity provider says of name and birth holds from
-- now on, and the personal id names the record. Null: the code is refused.
CREATE OR REPLACE FUNCTION auth.adopt_record(code bytea, provider text, account_subject text, known uuid, sent auth.citizen, number auth.identifier)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE activated uuid := auth.take_activation(code, provider, account_subject, known);
BEGIN
  IF activated IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE auth.citizen c SET (full_name, name_key, birth_on, birth_precision) = (sent.full_name, sent.name_key, sent.birth_on, sent.birth_precision)
   WHERE c.id = activated;
  IF known IS NULL THEN
    INSERT INTO auth.identifier (id, citizen_id, kind, lookup, sealed, valid_from)
    VALUES (number.id, activated, 'PERSONAL_ID', number.lookup, number.sealed, clock_timestamp());
  END IF;
  UPDATE auth.book b SET version = b.version + 1, changed_at = clock_timestamp() WHERE b.citizen_id = activated;
  PERFORM auth.take_up_of(ARRAY[activated]);
  PERFORM audit.write_line(activated, 'ACCOUNT_ACTIVATED', NULL::auth.session,
    jsonb_build_object('facility', (SELECT a.facility_code FROM auth.activation a WHERE a.citizen_id = activated)));
  RETURN activated;
END $$;
REVOKE ALL ON FUNCTION auth.adopt_record FROM PUBLIC;
