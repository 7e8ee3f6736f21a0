-- owner: auth_owner
-- What of access people and functions see: decisions are written by functions alone; whose book is shared, and who it is
-- shared with, both read what concerns them (`desk`); an open book's reader sees the person whose book is open.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['book', 'filing', 'filing_window', 'reading_window', 'share_code', 'book_grant', 'share_request', 'share_try',
                           'live_subscription', 'announcement', 'book_use', 'alarm'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['book_grant', 'share_request'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS given ON auth.%I', t);
    EXECUTE format('CREATE POLICY given ON auth.%I FOR SELECT TO desk USING (practitioner_id = (SELECT auth.my_practitioner()))', t);
  END LOOP;
END $$;
GRANT SELECT ON auth.book_grant TO desk;
-- No hash; and not who is asked (`asked_of`), which a practitioner at this login would read too: a request to nobody looks
-- like any other. Its `citizen_id` is told with the grant.
GRANT SELECT (id, citizen_id, has_pin, purpose, scope, access_minutes, created_at, redeemable_until, tries, redeemed_at, grant_id,
              cancelled_at) ON auth.share_code TO desk;
GRANT SELECT (id, citizen_id, code_id, facility_code, reason, at) ON auth.share_try TO desk;
GRANT SELECT (id, citizen_id, practitioner_id, practitioner_certificate, practitioner_name, facility_code, purpose, scope, access_minutes,
              asked_at, expires_at, answered_at, answer, grant_id) ON auth.share_request TO desk;
GRANT EXECUTE ON FUNCTION auth.listed TO desk;

DROP POLICY IF EXISTS open_book ON auth.citizen;
CREATE POLICY open_book ON auth.citizen FOR SELECT TO book_reader
  USING (id = (SELECT coalesce(nullif(current_setting('book.citizen', true), ''), auth.no_book())::uuid));
DROP POLICY IF EXISTS open_book ON auth.identifier;
CREATE POLICY open_book ON auth.identifier FOR SELECT TO book_reader
  USING (citizen_id = (SELECT CASE WHEN coalesce(nullif(current_setting('book.private', true), ''), auth.no_book())::boolean
                                   THEN current_setting('book.citizen')::uuid END));
DROP POLICY IF EXISTS open_book ON auth.book;
CREATE POLICY open_book ON auth.book FOR SELECT TO book_reader
  USING (citizen_id = (SELECT coalesce(nullif(current_setting('book.citizen', true), ''), auth.no_book())::uuid));
GRANT SELECT ON auth.citizen, auth.identifier, auth.book TO book_reader;
