-- owner: auth_owner
-- JSON in its one canonical form (RFC 8785), for what stands in a line: texts, whole numbers, booleans, nulls, lists and
-- objects whose keys are ASCII. Anybody who has the text, or the values, gets the same bytes.
CREATE OR REPLACE FUNCTION audit.canonical(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE jsonb_typeof(value)
    WHEN 'object' THEN
      RETURN '{' || coalesce((SELECT string_agg(CAST(JSON_SCALAR(e.key) AS text) || ':'
          || CASE WHEN jsonb_typeof(e.value) IN ('string', 'null', 'boolean') THEN e.value::text ELSE audit.canonical(e.value) END,
          ',' ORDER BY e.key COLLATE "C") FROM jsonb_each(value) e), '') || '}';
    WHEN 'array' THEN
      RETURN '[' || coalesce((SELECT string_agg(audit.canonical(e.value), ',' ORDER BY e.n)
                                FROM jsonb_array_elements(value) WITH ORDINALITY e(value, n)), '') || ']';
    WHEN 'number' THEN
      IF value::text !~ '^-?[0-9]{1,15}$' THEN
        RAISE EXCEPTION 'a number in a line is whole and below 10^15' USING ERRCODE = '22003';
      END IF;
      RETURN value::text;
    ELSE
      RETURN value::text;
  END CASE;
END $$;
REVOKE ALL ON FUNCTION audit.canonical FROM PUBLIC;

-- What is hashed of a line, after 0x00 and its nonce: its canonical JSON. Version 1; a later form gets another number.
-- `about` is canonical already; action, category and kind are words of ours.
CREATE OR REPLACE FUNCTION audit.body(citizen uuid, n bigint, previous bytea, at timestamptz, action text, category text, actor_kind text,
                                      actor_id uuid, actor_name text, facility_code text, about text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN format('{"about":%s,"action":"%s","actor":{"facility":%s,"id":%s,"kind":"%s","name":%s},"at":"%s","category":"%s",'
      '"citizen":"%s","n":%s,"previous":"%s","v":1}',
    about, action, coalesce(CAST(JSON_SCALAR(facility_code) AS text), 'null'), coalesce('"' || actor_id || '"', 'null'), actor_kind,
    coalesce(CAST(JSON_SCALAR(actor_name) AS text), 'null'), to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), category,
    citizen, n, encode(previous, 'hex'));
END $$;
CREATE OR REPLACE FUNCTION audit.body_of(line audit.line) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN audit.body(line.citizen_id, line.n, line.previous, line.at, line.action, line.category, line.actor_kind, line.actor_id,
                    line.actor_name, line.facility_code, audit.canonical(line.about));
END $$;
REVOKE ALL ON FUNCTION audit.body, audit.body_of FROM PUBLIC;
