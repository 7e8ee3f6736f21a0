-- owner: auth_owner
-- Opens one book for what people change in it (masks), until the transaction ends: one's own, or that of somebody whom
-- one represents and sees unmasked. Its version grows, a line tells who did it. SK404, SK428.
CREATE OR REPLACE FUNCTION auth.open_writing(target uuid, action text, about jsonb, step_up text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); citizen uuid := (auth.acting_for(live, target)).citizen_id;
BEGIN
  IF citizen <> live.citizen_id AND NOT (auth.representation(live, citizen)).unmasked THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
  IF step_up IS NOT NULL THEN
    PERFORM auth.require_step_up(live, step_up);
  END IF;
  INSERT INTO auth.filing_window AS w (backend, transaction, citizens) VALUES (pg_backend_pid(), pg_current_xact_id(), ARRAY[citizen])
  ON CONFLICT (backend) DO UPDATE SET transaction = excluded.transaction, citizens = excluded.citizens;
  PERFORM auth.book_changed(citizen);
  PERFORM audit.write_line(citizen, action, live, about);
  RETURN citizen;
END $$;

-- Opens one book in the same way for nothing but to compare ids that a person names with what is in it.
CREATE OR REPLACE FUNCTION auth.open_naming(target uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE citizen uuid := (auth.acting_for(auth.my_session(), target)).citizen_id;
BEGIN
  INSERT INTO auth.filing_window AS w (backend, transaction, citizens) VALUES (pg_backend_pid(), pg_current_xact_id(), ARRAY[citizen])
  ON CONFLICT (backend) DO UPDATE SET transaction = excluded.transaction, citizens = excluded.citizens;
  RETURN citizen;
END $$;

-- Hides whole classes of records from everybody else, whatever a grant says, or shows them again to grants that name them.
CREATE OR REPLACE FUNCTION auth.hide_classes(target uuid, classes jsonb, hidden boolean) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bits int := auth.bits_of(classes, ARRAY['HIV', 'TUBERCULOSIS', 'MENTAL_HEALTH', 'SUBSTANCE_USE', 'SEXUAL_HEALTH', 'VIOLENCE']);
  citizen uuid := auth.open_writing(target, CASE WHEN hidden THEN 'CLASSES_MASKED' ELSE 'CLASSES_UNMASKED' END,
    jsonb_build_object('classes', bits), CASE WHEN hidden THEN NULL ELSE 'UNMASK' END);
BEGIN
  UPDATE auth.book b SET hidden_classes = CASE WHEN hidden THEN b.hidden_classes | bits ELSE b.hidden_classes & ~bits END WHERE b.citizen_id = citizen;
  RETURN bits;
END $$;
REVOKE ALL ON FUNCTION auth.open_writing, auth.open_naming, auth.hide_classes FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO book_writer;
GRANT EXECUTE ON FUNCTION auth.open_writing, auth.open_naming, auth.filing_citizens TO book_writer;
GRANT EXECUTE ON FUNCTION auth.hide_classes TO desk;
