-- owner: auth_owner
-- What a representative sees, by law and age: data with validity dates. A change of the law is a row, not code.
-- `sections` are the bits of sharing.scope.BookSection; SUMMARY leaves out test results, imaging and documents.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['extent', 'age_band', 'representation'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
INSERT INTO auth.extent VALUES
  ('FULL', 1023, 'Law 15/2023/QH15 Art. 69: the patient and the lawful representative read the whole record'),
  ('SUMMARY', 967, 'Law 15/2023/QH15 Art. 69: other representatives have a summary'),
  ('NONE', 0, 'Civil Code 2015 Art. 20 and 140: an adult represents themselves')
  ON CONFLICT (code) DO UPDATE SET (sections, law) = (excluded.sections, excluded.law);
INSERT INTO auth.age_band VALUES
  (0, '2026-01-01', NULL, 'FULL', true, true, false, 'Law 91/2025/QH15: under 7 the representative consents'),
  (7, '2026-01-01', NULL, 'FULL', true, true, true, 'Law 91/2025/QH15: from 7 on child and representative consent; an account under 14 runs through the representative'),
  (14, '2026-01-01', NULL, 'FULL', false, false, true, 'From 14 on the account is the child''s own: what the child hides is hidden from the representative too'),
  (15, '2026-01-01', NULL, 'SUMMARY', false, false, true, 'Law on HIV/AIDS as amended 2020, Art. 27 and 30: from 15 on results are told to the person first'),
  (18, '2026-01-01', NULL, 'NONE', false, false, true, 'Civil Code 2015 Art. 20: of age')
  ON CONFLICT (from_age, valid_from) DO UPDATE SET (valid_until, extent, unmasked, may_share, child_agrees, law) =
    (excluded.valid_until, excluded.extent, excluded.unmasked, excluded.may_share, excluded.child_agrees, excluded.law);

-- The band of somebody born on a day, on another day. In a year without 29 February it is reached on the 28th
-- (Civil Code 2015 Art. 148). Of whom only the year is known, 1 January counts: the narrower right comes first.
-- Its text is bound when it is made, so that it needs no search path and becomes part of whatever statement asks for it.
CREATE OR REPLACE FUNCTION auth.bands(born date, day date) RETURNS SETOF auth.age_band
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT b.* FROM auth.age_band b
   WHERE (born + make_interval(years => b.from_age))::date <= day AND day BETWEEN b.valid_from AND coalesce(b.valid_until, 'infinity')
   ORDER BY b.from_age DESC, b.valid_from DESC LIMIT 1;
END;
CREATE OR REPLACE FUNCTION auth.band_on(born date, day date) RETURNS auth.age_band
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT b.* FROM auth.bands(born, day) b $$;
REVOKE ALL ON FUNCTION auth.bands, auth.band_on FROM PUBLIC;

-- What a representation is worth on a day, waiting, over and ended ones included: NONE, and so while either account is
-- closed. A mandate is an adult's to give; a court's decision holds at any age.
CREATE OR REPLACE FUNCTION auth.extent_of(r auth.representation, closed boolean, by_age text, day date) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN closed OR r.accepted_at IS NULL OR r.ended_at IS NOT NULL OR day NOT BETWEEN r.valid_from AND coalesce(r.valid_until, 'infinity') THEN 'NONE'
    WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN by_age
    WHEN r.kind = 'MANDATE' AND by_age <> 'NONE' THEN 'NONE'
    ELSE r.extent END;
CREATE OR REPLACE FUNCTION auth.extent_on(r auth.representation, day date) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT auth.extent_of(r, d.closed_at IS NOT NULL OR v.closed_at IS NOT NULL, b.extent, day)
    FROM auth.citizen d LEFT JOIN auth.citizen v ON v.id = r.representative_id, auth.band_on(d.birth_on, day) b WHERE d.id = r.dependant_id
$$;
REVOKE ALL ON FUNCTION auth.extent_of, auth.extent_on FROM PUBLIC;
