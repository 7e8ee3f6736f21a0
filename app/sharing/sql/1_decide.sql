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

-- Writes the decision. `hidden`: the classes that the owner hides, null when the book is missing. `private`: whether the
-- viewer stands for the owner (numbers, phone and address are shown).
CREATE OR REPLACE FUNCTION auth.settle(citizen uuid, sections int, since text, until text, unmasked boolean, sensitive int, hidden int,
                                       facilities text, records text, private boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF hidden IS NULL THEN RAISE EXCEPTION 'the book is missing' USING ERRCODE = 'XX000'; END IF;
  RETURN concat(set_config('book.opened', now()::text, true),
    set_config('book.citizen', citizen::text, true), set_config('book.sections', sections::text, true),
    set_config('book.since', since, true), set_config('book.until', until, true), set_config('book.unmasked', unmasked::text, true),
    set_config('book.sensitive', (CASE WHEN unmasked THEN sensitive ELSE sensitive & ~hidden END)::text, true),
    set_config('book.facilities', facilities, true), set_config('book.records', records, true),
    set_config('book.whole', (facilities = '' AND records = '' AND since = '-infinity' AND until = 'infinity')::text, true),
    set_config('book.private', private::text, true)) <> '';
END $$;

-- The same of a scope.
CREATE OR REPLACE FUNCTION auth.decide(citizen uuid, scope jsonb, unmasked boolean, private boolean, hidden int) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN auth.settle(citizen, (scope->'sections')::int, coalesce((scope->>'since')::timestamptz::text, '-infinity'),
    coalesce((scope->>'until')::timestamptz::text, 'infinity'), unmasked, (scope->'sensitive')::int, hidden,
    auth.listed(scope->'facilities'), auth.listed(scope->'records'), private);
END $$;

CREATE OR REPLACE FUNCTION auth.closed_to_representatives(citizen uuid) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT auth.closed_from(c.birth_on, (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date) FROM auth.citizen c WHERE c.id = citizen
$$;
REVOKE ALL ON FUNCTION auth.refuse_stale, auth.listed, auth.settle, auth.decide, auth.closed_to_representatives FROM PUBLIC;
