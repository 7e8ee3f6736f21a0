-- owner: auth_owner
-- Which keys this database was filled with. A mark is a digest under the key, so that it tells nothing of the key
-- (app/core/marks.py).
DO $$ BEGIN
  ALTER TABLE auth.key_mark ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON auth.key_mark;
  CREATE POLICY deciding ON auth.key_mark TO auth_owner USING (true) WITH CHECK (true);
END $$;

-- Notes the keys of a file, unless one is missing that was used before: returns the ids of those, and notes nothing then.
CREATE OR REPLACE FUNCTION auth.note_keys(of_file text, ids text[], marks bytea[]) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sokhoe keys'));
  RETURN QUERY SELECT m.key_id FROM auth.key_mark m WHERE m.file = of_file AND m.mark <> ALL (marks) ORDER BY m.noted_at;
  IF NOT FOUND THEN
    INSERT INTO auth.key_mark
    SELECT of_file, new.id, new.mark, clock_timestamp() FROM unnest(ids, marks) new(id, mark) ON CONFLICT DO NOTHING;
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.note_keys FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO ingest, worker;
GRANT EXECUTE ON FUNCTION auth.note_keys TO ingest, worker;
