-- owner: auth_owner
-- Something happened that a citizen is told of, in the transaction that caused it. `about` holds ids and codes, never
-- health data; the words are made later, when a worker takes the events that wait (app/notifications). Two events with one
-- dedupe key are one.
-- What others look for in `about`: facility (code), startsAt (RFC 3339), on (date), reason (code), and the id that app/notifications/kinds.py names.
CREATE OR REPLACE FUNCTION notice.happened(citizen uuid, kind text, about jsonb, dedupe text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO notice.event (id, citizen_id, kind, about, dedupe_key, happened_at)
  VALUES (uuidv7(), citizen, kind, about, dedupe, clock_timestamp())
  ON CONFLICT (citizen_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
$$;
REVOKE ALL ON FUNCTION notice.happened FROM PUBLIC;

ALTER TABLE notice.event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS deciding ON notice.event;
CREATE POLICY deciding ON notice.event TO auth_owner USING (true) WITH CHECK (true);
