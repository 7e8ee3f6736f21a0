-- owner: auth_owner
-- The only key to a book. It decides who, which book, which sections, dates, facilities, records, classes and masks,
-- against the database's clock, and writes the decision into settings of this transaction, which the policies read.
-- Every operation calls one of its family first: this one for owners and representatives, 4_granted.sql for the others.
-- Why settings, and why they cannot be forged: infra/decisions/0002-postgresql-is-the-guard.md
-- An owner who knows the book as it is (`known` is its ETag) is told so, and nothing is opened.
-- SK401 no live session, or a facility's system · SK405 a practitioner's, who has no book · SK403 the account's level is too low (its own person is told) · SK404 no such book, absent and forbidden alike · 25001 stale, or a second book
DROP FUNCTION IF EXISTS auth.open_book(text, bytea, uuid, text);  -- older operations call the one below
CREATE OR REPLACE FUNCTION auth.open_book(token text, proof_key bytea, target uuid, operation text, known text DEFAULT NULL,
                                          OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE viewer_level smallint; version bigint; changed timestamptz; edition bigint; done text; represented record; session uuid;
        shown bytea := CASE WHEN length(proof_key) > 32 THEN proof_key END;  -- a proof that is spent here: auth.spend_proof
BEGIN
  proof_key := substr(proof_key, 1, 32);
  -- now() is frozen at BEGIN, and a snapshot does not see a revocation: a transaction held open would outlive both.
  IF current_setting('transaction_isolation') <> 'read committed' OR clock_timestamp() > now() + interval '5 seconds'
     OR current_setting('book.opened', true) = now()::text THEN
    RAISE EXCEPTION 'a stale transaction, or a book is open in it' USING ERRCODE = '25001';
  END IF;
  -- auth.live_session in the statement that reads the book's version: the same condition, word for word (tested).
  SELECT s.id, s.citizen_id, s.level, b.version, b.changed_at, (SELECT e.number FROM code.edition e)
    INTO session, citizen_id, viewer_level, version, changed, edition
    FROM auth.session s LEFT JOIN auth.book b ON b.citizen_id = s.citizen_id
   WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
     AND s.key_thumbprint IS NOT DISTINCT FROM proof_key
     AND (s.citizen_id IS NULL OR (SELECT c.closed_at IS NULL FROM auth.citizen c WHERE c.id = s.citizen_id));
  IF citizen_id IS NULL THEN
    IF (auth.live_session(token, proof_key)).practitioner_id IS NOT NULL THEN  -- SK401: none is alive
      RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
    END IF;
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  END IF;
  IF shown IS NOT NULL THEN done := auth.spend_proof(session, shown); END IF;
  IF coalesce(viewer_level, 1) < 2 THEN RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403'; END IF;
  IF target IS NOT NULL AND target <> citizen_id THEN
    represented := auth.open_represented(citizen_id, target, operation);
    citizen_id := represented.citizen_id; sections := represented.sections; RETURN;  -- and no ETag
  END IF;
  IF version IS NULL THEN RAISE EXCEPTION 'the book is missing' USING ERRCODE = 'XX000'; END IF;
  -- Of this viewer too: two people who share a phone must not be shown each other's kept answers. Of the moment too: after a restore
  -- a version comes a second time. The gateway reads the edition.
  etag := left(encode(sha256(uuid_send(citizen_id) || int8send(version) || timestamptz_send(changed)), 'hex'), 24) || '-' || edition;
  IF etag = known THEN RETURN; END IF;
  sections := 1023;  -- every BookSection
  done := concat(set_config('book.opened', now()::text, true), set_config('book.citizen', citizen_id::text, true),
    set_config('book.sections', '1023', true), set_config('book.since', '-infinity', true), set_config('book.until', 'infinity', true),
    set_config('book.unmasked', 'true', true), set_config('book.sensitive', '63', true),  -- every SensitiveClass
    set_config('book.facilities', '', true), set_config('book.records', '', true), set_config('book.whole', 'true', true),
    set_config('book.private', 'true', true));
END $$;
REVOKE ALL ON FUNCTION auth.open_book FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO book_reader; GRANT EXECUTE ON FUNCTION auth.open_book TO book_reader;
