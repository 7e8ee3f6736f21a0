-- owner: auth_owner
-- The bits of names, in the order of the enums of app/sharing/scope.py. SK422: a name that is none.
CREATE OR REPLACE FUNCTION auth.bits_of(names jsonb, known text[]) RETURNS int
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE name text; bits int := 0;
BEGIN
  FOR name IN SELECT jsonb_array_elements_text(coalesce(nullif(names, 'null'), '[]')) LOOP
    IF array_position(known, name) IS NULL THEN
      RAISE EXCEPTION 'no such name in a scope' USING ERRCODE = 'SK422';
    END IF;
    bits := bits | (1 << (array_position(known, name) - 1));
  END LOOP;
  RETURN bits;
END $$;

-- A list of a scope: texts, each once, in order; null is everything. SK422: it is empty or too long.
CREATE OR REPLACE FUNCTION auth.list_of(list jsonb, most int) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF coalesce(jsonb_typeof(list), 'null') = 'null' THEN
    RETURN 'null';
  END IF;
  IF jsonb_array_length(list) NOT BETWEEN 1 AND most THEN
    RAISE EXCEPTION 'no such list in a scope' USING ERRCODE = 'SK422';
  END IF;
  RETURN (SELECT jsonb_agg(DISTINCT e) FROM jsonb_array_elements_text(list) e);
END $$;

-- The scope of a `ShareScopeInput`: days are whole days of Viet Nam, both included. SK422: it is none.
CREATE OR REPLACE FUNCTION auth.scope_of(asked jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sections int := auth.bits_of(asked->'sections', ARRAY['VISITS', 'PRESCRIPTIONS', 'VACCINATIONS', 'TEST_RESULTS', 'IMAGING', 'DOCUMENTS',
    'CONDITIONS', 'ALLERGIES', 'INSURANCE', 'APPOINTMENTS']);
  sensitive int := auth.bits_of(asked->'sensitive', ARRAY['HIV', 'TUBERCULOSIS', 'MENTAL_HEALTH', 'SUBSTANCE_USE', 'SEXUAL_HEALTH', 'VIOLENCE']);
  since timestamptz := (asked->>'from')::date::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh';
  until timestamptz := ((asked->>'to')::date + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh';
  records jsonb := auth.list_of(asked->'recordIds', 200);
  facilities jsonb := auth.list_of(asked->'facilityCodes', 50);
BEGIN
  IF sections = 0 OR since >= until OR EXISTS (SELECT FROM jsonb_array_elements_text(nullif(facilities, 'null')) f WHERE length(f) > 20) THEN
    RAISE EXCEPTION 'no such scope' USING ERRCODE = 'SK422';
  END IF;
  PERFORM e::uuid FROM jsonb_array_elements_text(nullif(records, 'null')) e;
  RETURN jsonb_build_object('sections', sections, 'sensitive', sensitive, 'since', since, 'until', until, 'records', records,
                            'facilities', facilities);
EXCEPTION WHEN data_exception THEN
  RAISE EXCEPTION 'no such scope' USING ERRCODE = 'SK422';
END $$;
REVOKE ALL ON FUNCTION auth.bits_of, auth.list_of, auth.scope_of FROM PUBLIC;
