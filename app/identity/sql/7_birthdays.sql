-- owner: auth_owner
-- Tells child and representatives of a birthday after which a representative sees or may do less; daily, each once.
-- Returns how many representations it is about.
CREATE OR REPLACE FUNCTION auth.tell_birthdays(ahead_days int DEFAULT 30) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE due record; told int := 0;
BEGIN
  FOR due IN SELECT r.dependant_id, r.representative_id, b.from_age, (d.birth_on + age)::date AS birthday FROM auth.representation r
      JOIN auth.citizen d ON d.id = r.dependant_id, auth.age_band b, make_interval(years => b.from_age) age
     WHERE r.kind IN ('PARENT', 'GUARDIAN') AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL AND d.closed_at IS NULL AND b.from_age > 0
       AND (d.birth_on + age)::date > auth.today() AND (d.birth_on + age)::date <= auth.today() + ahead_days
       AND (d.birth_on + age)::date BETWEEN b.valid_from AND coalesce(b.valid_until, 'infinity')
       AND (d.birth_on + age)::date <= coalesce(r.valid_until, 'infinity') LOOP
    PERFORM notice.happened(who, 'GUARDIAN_BIRTHDAY', jsonb_build_object('dependant', due.dependant_id, 'age', due.from_age, 'on', due.birthday),
        'GUARDIAN_BIRTHDAY:' || due.dependant_id || ':' || due.from_age)
       FROM unnest(ARRAY[due.dependant_id, due.representative_id]) who;
    told := told + 1;
  END LOOP;
  RETURN told;
END $$;
REVOKE ALL ON FUNCTION auth.tell_birthdays FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.tell_birthdays, auth.today TO worker;
