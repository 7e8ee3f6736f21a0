-- owner: auth_owner
-- Opens one book so that a reaction after a vaccination may be reported: one's own, or that of somebody whom one
-- represents with their vaccinations. Its version grows, a line tells who did it. SK404: absent and forbidden are alike.
CREATE OR REPLACE FUNCTION auth.open_reporting(target uuid, about jsonb, OUT citizen uuid, OUT reporter uuid, OUT unmasked boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); rights record;
BEGIN
  reporter := live.citizen_id;
  citizen := coalesce(target, reporter);
  IF reporter IS NULL THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  ELSIF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  unmasked := true;
  IF citizen <> reporter THEN
    rights := auth.representation(live, citizen);
    unmasked := rights.unmasked;
    IF rights.sections & 4 = 0 THEN
      RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
    END IF;
  END IF;
  INSERT INTO auth.filing_window AS w (backend, transaction, citizens) VALUES (pg_backend_pid(), pg_current_xact_id(), ARRAY[citizen])
  ON CONFLICT (backend) DO UPDATE SET transaction = excluded.transaction, citizens = excluded.citizens;
  PERFORM auth.book_changed(citizen);
  PERFORM audit.write_line(citizen, 'REACTION_REPORTED', live, about);
END $$;
REVOKE ALL ON FUNCTION auth.open_reporting FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO book_writer;
GRANT EXECUTE ON FUNCTION auth.open_reporting, auth.filing_citizens TO book_writer;
