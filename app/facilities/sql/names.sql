-- owner: book_reader
-- Names of public lists, as JSON texts in the order in which they are asked: a facility's, or a code's newest name as
-- `label` of the terminology tells it. Null where the list does not know the code. It opens no book and reads none.
CREATE OR REPLACE FUNCTION op.names(lists text[], codes text[], language text) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT array_agg(to_json(CASE asked.list
           WHEN 'facility' THEN (SELECT f.name FROM directory.facility f WHERE f.code = asked.code)
           ELSE (SELECT CASE WHEN language = 'en' THEN coalesce(e.name_en, e.name_vi) ELSE e.name_vi END
                   FROM code.entry e WHERE e.system = asked.list AND e.code = asked.code ORDER BY e.valid_from DESC LIMIT 1)
         END)::text ORDER BY asked.place)
    FROM unnest(lists, codes) WITH ORDINALITY AS asked(list, code, place)
$$;
REVOKE ALL ON FUNCTION op.names FROM PUBLIC;
GRANT USAGE ON SCHEMA op TO api;
GRANT EXECUTE ON FUNCTION op.names TO api;
