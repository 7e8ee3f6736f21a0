-- owner: book_owner
-- What makes a record sensitive: codes of ICD-10, and words of what was written. Bits are those of SensitiveClass.
-- Source: Law 64/2006/QH11 as amended by Law 71/2020/QH14 (HIV); Law 91/2025/QH15 and Decree 356/2025/NĐ-CP (the rest).
DELETE FROM code.sensitive;
INSERT INTO code.sensitive (class, kind, pattern) VALUES
  (1, 'CODE', '^(B2[0-4]|Z21|R75|Z11\.?4|Z20\.?6|Z71\.?7|Z83\.?0|O98\.?7|F02\.?4)'),
  (1, 'WORD', '\m(hiv|aids|arv|art)\M|suy giảm miễn dịch mắc phải|efavirenz|dolutegravir|nevirapin|lopinavir|atazanavir|darunavir|zidovudin|abacavir|lamivudin|emtricitabin'),
  (1, 'WORD', '\m(29327-4|5017-9|5018-7|5220-9|5221-7|7917-8|7918-6|20447-9|25836-8|30361-0|31201-7|32602-5|48345-3|51866-2|56888-1|57975-5|68961-2|69668-2|75622-1|80203-3|80387-4|89365-1|89374-3|86406008|165816005|62479008|91947003|91948008|19030005|186706006)\M'),  -- LOINC, SNOMED CT
  (2, 'CODE', '^(A1[5-9]|B90|Z03\.?0|Z11\.?1|Z20\.?1|O98\.?0|P37\.?0)'),
  (2, 'WORD', '\m(lao (phổi|hạch|màng|xương|khớp|kháng|ruột|tiềm ẩn)|bệnh lao|afb|mtb|xpert|rifampicin|ethambutol|pyrazinamid)'),
  (4, 'CODE', '^(F0[0-9]|F[2-9][0-9]|X[67][0-9]|X8[0-4]|Z91\.?5|Z13\.?3)'),
  (4, 'WORD', 'tâm thần|trầm cảm|loạn thần|lưỡng cực|tự sát|tự tử'),
  (8, 'CODE', '^(F1[0-9]|T40|Z50\.?[23]|Z71\.?[45]|Z72\.?2|R78)'),
  (8, 'WORD', '\m(methadon|buprenorphin|naltrexon|ma túy|nghiện)'),
  (16, 'CODE', '^(A5[0-9]|A6[0-4]|O98\.?[1-3]|Z11\.?3|Z20\.?2|N96|O0[4-7]|Z64\.?0)'),
  (16, 'WORD', '\m(giang mai|bệnh lậu|lậu cầu|chlamydia|tpha|rpr|phá thai)'),
  (32, 'CODE', '^(T74|Y0[4-7]|Z63\.?0|Z61\.?[4-6]|X8[5-9]|X9[0-9]|Z04\.?[45])'),
  (32, 'WORD', 'bạo lực gia đình|bạo hành|xâm hại');

CREATE OR REPLACE FUNCTION book.classes_of(codes text[], words text) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(bit_or(s.class), 0) FROM code.sensitive s
   WHERE CASE s.kind WHEN 'CODE' THEN EXISTS (SELECT FROM unnest(codes) c WHERE c ~ s.pattern) ELSE words ~* s.pattern END
$$;

-- A record that is filed has no class until `classify` has read it, in the same transaction.
CREATE OR REPLACE FUNCTION book.without_class() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.sensitive := 0;
  RETURN NEW;
END $$;
DO $$
DECLARE t record;
BEGIN
  FOR t IN SELECT g.name FROM book.guarded() g WHERE g.may_be_masked LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER without_class BEFORE INSERT ON book.%I FOR EACH ROW EXECUTE FUNCTION book.without_class()', t.name);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION book.classes_of, book.without_class FROM PUBLIC;
GRANT SELECT ON code.sensitive TO worker;
GRANT EXECUTE ON FUNCTION book.classes_of, book.without_class TO worker;
