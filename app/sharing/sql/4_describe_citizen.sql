-- owner: auth_owner
-- Writes what a visit tells of its person, each fact where no newer visit told it. `about` holds columns of auth.citizen,
-- `told` for each the visit's rank (greater for a newer visit) and a mark that is equal for equal values: by it the book
-- is only said to have changed when it has. Only for a book that is open for filing.
CREATE OR REPLACE FUNCTION auth.describe_citizen(citizen uuid, about jsonb, told jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known auth.citizen; described auth.citizen; newer jsonb; facts jsonb;
BEGIN
  IF citizen <> ALL (auth.filing_citizens()) THEN
    RAISE EXCEPTION 'this book is not open for filing' USING ERRCODE = '28000';
  END IF;
  SELECT c.* INTO STRICT known FROM auth.citizen c WHERE c.id = citizen;
  newer := (SELECT jsonb_object_agg(t.key, t.value) FROM jsonb_each(told) t
             WHERE t.value->>0 > coalesce(known.described_by->t.key->>0, ''));
  IF newer IS NULL THEN
    RETURN;
  END IF;
  facts := (SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(about) a
             WHERE newer ? a.key AND newer->a.key->>1 IS DISTINCT FROM known.described_by->a.key->>1);
  described := jsonb_populate_record(known, coalesce(facts, '{}'));
  UPDATE auth.citizen c SET (full_name, name_key, sex, ethnic_code, nationality_code, occupation_code, blood_group, phone_sealed,
      address_sealed, described_by)
    = (described.full_name, described.name_key, described.sex, described.ethnic_code, described.nationality_code,
      described.occupation_code, described.blood_group, described.phone_sealed, described.address_sealed,
      coalesce(known.described_by, '{}') || newer)
   WHERE c.id = citizen;
  IF known.described_by IS NOT NULL AND facts IS NOT NULL THEN  -- what a first visit tells comes with the visit itself
    PERFORM auth.book_changed(citizen);
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.describe_citizen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.describe_citizen TO worker;
