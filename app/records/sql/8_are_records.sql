-- owner: book_writer
-- Whether all of these are records of a citizen's book, for a scope that names them.
CREATE OR REPLACE FUNCTION book.are_records(target uuid, wanted uuid[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE citizen uuid := auth.open_naming(target); t record; n int; total int := 0;
BEGIN
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.may_be_masked LOOP
    EXECUTE format('SELECT count(*) FROM book.%I WHERE citizen_id = $1 AND id = ANY ($2)', t.name) INTO n USING citizen, wanted;
    total := total + n;
  END LOOP;
  RETURN total + (SELECT count(*) FROM care.appointment a WHERE a.citizen_id = citizen AND a.id = ANY (wanted)) = cardinality(ARRAY(SELECT DISTINCT unnest(wanted)));
END $$;
REVOKE ALL ON FUNCTION book.are_records FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.are_records TO desk;
