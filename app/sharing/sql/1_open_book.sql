-- owner: auth_owner
-- The only key to a book. It decides who, which book, which sections, dates, facilities, records, classes and masks,
-- against the database's clock, and writes the decision into settings of this transaction, which the policies read.
-- Every operation calls one of its family first: this one for owners and representatives, 4_granted.sql for the others.
-- Why settings, and why they cannot be forged: infra/decisions/0002-postgresql-is-the-guard.md
-- SK401 no live session, or a facility's system · SK405 a practitioner's, who has no book · SK403 the account's level is too low (its own person is told) · SK404 no such book, absent and forbidden alike · 25001 stale, or a second book
CREATE OR REPLACE FUNCTION auth.open_book(token text, proof_key bytea, target uuid, operation text,
                                          OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE viewer auth.session; done text;
BEGIN
  -- now() is frozen at BEGIN, and a snapshot does not see a revocation: a transaction held open would outlive both.
  IF current_setting('transaction_isolation') <> 'read committed' OR clock_timestamp() > now() + interval '5 seconds' THEN
    RAISE EXCEPTION 'stale transaction' USING ERRCODE = '25001';
  END IF;
  IF current_setting('book.opened', true) = now()::text THEN
    RAISE EXCEPTION 'a book is open in this transaction' USING ERRCODE = '25001';
  END IF;
  viewer := auth.live_session(token, proof_key);
  IF viewer.practitioner_id IS NOT NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
  ELSIF viewer.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  END IF;
  IF coalesce(viewer.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  IF target IS NOT NULL AND target <> viewer.citizen_id THEN
    SELECT r.citizen_id, r.sections, r.etag INTO citizen_id, sections, etag FROM auth.open_represented(viewer, target, operation) r;
    RETURN;
  END IF;
  citizen_id := viewer.citizen_id;
  sections := 1023;  -- every BookSection
  done := set_config('book.opened', now()::text, true);
  done := set_config('book.citizen', citizen_id::text, true);
  done := set_config('book.sections', sections::text, true);
  done := set_config('book.since', '-infinity', true);
  done := set_config('book.until', 'infinity', true);
  done := set_config('book.unmasked', 'true', true);
  done := set_config('book.sensitive', '63', true);  -- every SensitiveClass
  done := set_config('book.facilities', '', true);
  done := set_config('book.records', '', true);
  done := set_config('book.whole', 'true', true);
  done := set_config('book.private', 'true', true);
  -- Of this viewer too: two people who share a phone must not be shown each other's kept answers.
  SELECT left(encode(sha256(convert_to(concat_ws('|', viewer.citizen_id, b.citizen_id, sections, b.version), 'UTF8')), 'hex'), 24)
    INTO STRICT etag FROM auth.book b WHERE b.citizen_id = viewer.citizen_id;
END $$;
REVOKE ALL ON FUNCTION auth.open_book FROM PUBLIC;

CREATE OR REPLACE FUNCTION auth.no_book() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'no book is open' USING ERRCODE = '28000';
END $$;
REVOKE ALL ON FUNCTION auth.no_book FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO book_reader;
GRANT EXECUTE ON FUNCTION auth.open_book, auth.no_book TO book_reader;
