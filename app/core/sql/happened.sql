-- owner: auth_owner
-- Something happened that a citizen is told of, in the transaction that caused it. `about` holds ids and codes, never
-- health data; the words are made later. Two events with one dedupe key are one.
CREATE OR REPLACE FUNCTION notice.happened(citizen uuid, kind text, about jsonb, dedupe text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO notice.event VALUES (uuidv7(), citizen, kind, about, dedupe, clock_timestamp())
  ON CONFLICT (citizen_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
$$;
REVOKE ALL ON FUNCTION notice.happened FROM PUBLIC;

ALTER TABLE notice.event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS deciding ON notice.event;
CREATE POLICY deciding ON notice.event TO auth_owner USING (true) WITH CHECK (true);
