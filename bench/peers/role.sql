-- What the peers read by: a role of their own with plain row-level security on the same tables and indexes,
-- one setting that names the citizen and no login. Only for measuring: no installation has it.
CREATE ROLE peer LOGIN NOSUPERUSER NOBYPASSRLS;
ALTER ROLE peer SET timezone = 'UTC';
SELECT format('GRANT CONNECT ON DATABASE %I TO peer', current_database()) \gexec
GRANT USAGE ON SCHEMA book, directory, code TO peer;
GRANT SELECT ON directory.facility, code.entry TO peer;
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['visit', 'visit_diagnosis', 'prescription', 'prescription_item', 'test_report', 'test_result'] LOOP
    EXECUTE format('GRANT SELECT ON book.%I TO peer', t);
    EXECUTE format('CREATE POLICY peer ON book.%I FOR SELECT TO peer
      USING (citizen_id = (SELECT current_setting(''peer.citizen'')::uuid))', t);
  END LOOP;
END $$;

-- PostGraphile makes its schema of everything in `book` and `directory`, whatever the peer may read, and ends where a
-- function is named like a table: what the peer does not ask for gets a name of its own and is not in its schema.
DO $$
DECLARE one regprocedure;
BEGIN
  FOR one IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace IN ('book'::regnamespace, 'directory'::regnamespace) AND p.prokind = 'f' LOOP
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', one, format(E'@name own_function_%s\n@behavior -*', one::oid));
  END LOOP;
END $$;

-- PostGraphile learns relations from foreign keys, and a diagnosis' name from a function that PostgreSQL inlines.
COMMENT ON TABLE book.visit IS E'@foreignKey (facility_code) references directory.facility (code)';
COMMENT ON TABLE book.prescription IS E'@foreignKey (facility_code) references directory.facility (code)';
COMMENT ON TABLE book.test_report IS E'@foreignKey (facility_code) references directory.facility (code)';
COMMENT ON COLUMN book.test_report.category IS E'@behavior +attribute:filterBy';  -- as if an index led by it
CREATE FUNCTION book.visit_diagnosis_name(diagnosis book.visit_diagnosis) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT e.name_vi FROM code.entry e WHERE e.system = 'icd10' AND e.code = diagnosis.code ORDER BY e.valid_from DESC LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION book.visit_diagnosis_name TO peer;
