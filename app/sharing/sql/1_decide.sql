-- owner: auth_owner
-- What the whole family of open_book does: refuses what is stale, writes the decision. A scope is an object of
-- `sections` and `sensitive` (bits), `since` and `until` (moments, or null), `facilities` and `records` (lists, or null).
CREATE OR REPLACE FUNCTION auth.refuse_stale() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' OR clock_timestamp() > now() + interval '5 seconds' THEN
    RAISE EXCEPTION 'stale transaction' USING ERRCODE = '25001';
  END IF;
  IF current_setting('book.opened', true) = now()::text THEN
    RAISE EXCEPTION 'a book is open in this transaction' USING ERRCODE = '25001';
  END IF;
END $$;

-- A list of a scope as an array's text; '' where there is none: everything.
CREATE OR REPLACE FUNCTION auth.listed(list jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(list) = 'array' THEN
    RETURN coalesce((SELECT array_agg(e) FROM jsonb_array_elements_text(list) e), '{}')::text;
  END IF;
  RETURN '';
END $$;

-- `private`: whether the viewer stands for the owner (numbers, phone and address are shown).
CREATE OR REPLACE FUNCTION auth.decide(citizen uuid, scope jsonb, unmasked boolean, private boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  since text := coalesce(scope->>'since', '-infinity');
  until text := coalesce(scope->>'until', 'infinity');
  facilities text := auth.listed(scope->'facilities');
  records text := auth.listed(scope->'records');
  hidden int := (SELECT b.hidden_classes FROM auth.book b WHERE b.citizen_id = citizen);
  done text;
BEGIN
  IF hidden IS NULL THEN RAISE EXCEPTION 'the book is missing' USING ERRCODE = 'XX000'; END IF;
  done := set_config('book.opened', now()::text, true);
  done := set_config('book.citizen', citizen::text, true);
  done := set_config('book.sections', (scope->>'sections')::int::text, true);
  done := set_config('book.since', since::timestamptz::text, true);
  done := set_config('book.until', until::timestamptz::text, true);
  done := set_config('book.unmasked', unmasked::text, true);
  done := set_config('book.sensitive', (CASE WHEN unmasked THEN (scope->>'sensitive')::int ELSE (scope->>'sensitive')::int & ~hidden END)::text, true);
  done := set_config('book.facilities', facilities, true);
  done := set_config('book.records', records, true);
  done := set_config('book.whole', (facilities = '' AND records = '' AND since = '-infinity' AND until = 'infinity')::text, true);
  done := set_config('book.private', private::text, true);
END $$;

-- The classes that a representative does not see: what may have been done by them, and HIV from 15 years on.
-- Source: Law 64/2006/QH11 as amended by Law 71/2020/QH14, Art. 30.
CREATE OR REPLACE FUNCTION auth.closed_to_representatives(citizen uuid) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 32 | CASE WHEN (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date >= c.birth_on + interval '15 years' THEN 1 ELSE 0 END
    FROM auth.citizen c WHERE c.id = citizen
$$;
REVOKE ALL ON FUNCTION auth.refuse_stale, auth.listed, auth.decide, auth.closed_to_representatives FROM PUBLIC;
