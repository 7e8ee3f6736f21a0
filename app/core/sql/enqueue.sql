-- owner: auth_owner
-- The only way into the queue, from Python and from PL/pgSQL, always in the transaction that caused the work.
-- Returns the job's number, or NULL when a live job has the same dedupe_key.
-- Among jobs that are due, those of a higher priority go first.
DROP FUNCTION IF EXISTS jobs.enqueue(text, jsonb, timestamptz, text);
CREATE OR REPLACE FUNCTION jobs.enqueue(kind text, payload jsonb, run_after timestamptz DEFAULT now(), dedupe_key text DEFAULT NULL,
                                        priority int DEFAULT 0)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH job AS (
    INSERT INTO jobs.pgqueuer (priority, status, entrypoint, payload, execute_after, dedupe_key)
    VALUES (priority, 'queued', kind, convert_to(payload::text, 'UTF8'), run_after, dedupe_key)
    ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING
    RETURNING id, priority, entrypoint, status),
  logged AS (
    INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority) SELECT id, status, entrypoint, priority FROM job)
  SELECT id FROM job
$$;
-- The library's trigger would NOTIFY on every change, and NOTIFY makes all commits take turns, each for its flush to disk:
-- hospitals would wait for one another. Workers look for work a few times a second instead (app/worker.py).
ALTER TABLE jobs.pgqueuer DISABLE TRIGGER tg_pgqueuer_changed;
REVOKE ALL ON FUNCTION jobs.enqueue, jobs.fn_pgqueuer_changed FROM PUBLIC;
-- `desk` causes work by what it calls, never by itself: it could name any kind and any message.
REVOKE ALL ON FUNCTION jobs.enqueue FROM desk;
REVOKE ALL ON SCHEMA jobs FROM desk;
GRANT USAGE ON SCHEMA jobs TO worker, book_writer;
GRANT EXECUTE ON FUNCTION jobs.enqueue TO worker, book_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO worker;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA jobs TO worker;
