-- owner: auth_owner
-- Short-lived links to a facility's images. The facility's own door checks them with the key that it was given:
-- signature = base64url(HMAC-SHA-256(key, "GET" LF url LF expires)) where url is the link before its "?" and expires are
-- seconds since 1970 (infra/decisions/0021-links-to-images.md). HMAC by RFC 2104 §2: the key is kept as its two pads.
-- Nobody reads the keys: an operation is told a link, of a study whose address begins with the facility's registered one.
DO $$
BEGIN
  ALTER TABLE directory.image_store ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS deciding ON directory.image_store;
  CREATE POLICY deciding ON directory.image_store TO auth_owner USING (true) WITH CHECK (true);
END $$;

CREATE OR REPLACE FUNCTION directory.image_link(facility text, study text, claimed text)
RETURNS TABLE (url text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.url || '?expires=' || u.until || '&signature=' || rtrim(translate(encode(sha256(s.outer_pad
           || sha256(s.inner_pad || convert_to(format(E'GET\n%s\n%s', l.url, u.until), 'UTF8'))), 'base64'), '+/', '-_'), '='),
         to_timestamp(u.until)
    FROM directory.image_store s JOIN directory.facility f ON f.code = s.facility_code AND f.suspended_at IS NULL
    CROSS JOIN LATERAL (SELECT s.base_url || '/studies/' || study AS url) l
    -- The same link for five minutes, good for ten more at least: a screen that is drawn again is the same.
    CROSS JOIN (SELECT (floor(extract(epoch FROM clock_timestamp()) / 300) * 300)::bigint + 900 AS until) u
   WHERE s.facility_code = facility AND length(study) <= 64 AND study ~ '^[0-9]+(\.[0-9]+)*$'
     AND (claimed = s.base_url OR starts_with(claimed, s.base_url || '/'))
$$;
REVOKE ALL ON FUNCTION directory.image_link FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.image_link TO book_reader;
