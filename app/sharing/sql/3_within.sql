-- owner: auth_owner
-- Whether a scope opens nothing that another does not open.
CREATE OR REPLACE FUNCTION auth.is_within(inner_scope jsonb, outer_scope jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (inner_scope->>'sections')::int & ~(outer_scope->>'sections')::int = 0
     AND (inner_scope->>'sensitive')::int & ~(outer_scope->>'sensitive')::int = 0
     AND coalesce((inner_scope->>'since')::timestamptz, '-infinity') >= coalesce((outer_scope->>'since')::timestamptz, '-infinity')
     AND coalesce((inner_scope->>'until')::timestamptz, 'infinity') <= coalesce((outer_scope->>'until')::timestamptz, 'infinity')
     AND (outer_scope->'facilities' = 'null' OR (inner_scope->'facilities' <> 'null' AND inner_scope->'facilities' <@ (outer_scope->'facilities')))
     AND (outer_scope->'records' = 'null' OR (inner_scope->'records' <> 'null' AND inner_scope->'records' <@ (outer_scope->'records')))
$$;
REVOKE ALL ON FUNCTION auth.is_within FROM PUBLIC;
