-- Roles, schemas and what each login may connect to. Run by a superuser, connected to the product's database:
--   psql -v ON_ERROR_STOP=1 -v demo=off -f roles.sql          (demo=on adds the login of demo mode)
-- Idempotent. Passwords are set apart: ALTER ROLE … PASSWORD, each from its own secret file.
-- Why these roles: infra/decisions/0002-postgresql-is-the-guard.md
SELECT format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', r) FROM unnest(ARRAY[
  'book_owner',   -- owns the tables of health data; FORCE binds it too
  'auth_owner',   -- owns identity, access and audit, and the functions that decide
  'book_reader',  -- owns the operations; is bound by the policies
  'book_writer'   -- owns what people change in a book
]) r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \gexec

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', r) FROM unnest(ARRAY[
  'api',       -- calls operations, nothing else
  'desk',      -- what people change: identity, sharing, appointments, notices
  'porter',    -- lets people in: sign-in, tokens, second factors; nothing that a query of an app runs as
  'ingest',    -- the hospitals' door
  'worker',    -- files messages, sends notices
  'sealer', 'auditor', 'migrator']) r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \gexec
SELECT 'CREATE ROLE backup LOGIN REPLICATION BYPASSRLS' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backup') \gexec
SELECT 'CREATE ROLE demo LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'
 WHERE :'demo' = 'on' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'demo') \gexec

GRANT book_owner, auth_owner, book_reader, book_writer TO migrator WITH INHERIT FALSE, SET TRUE;

-- Time-outs are comfort, not defence: a role may change its own.
ALTER ROLE api SET plan_cache_mode = force_generic_plan;
SELECT format('ALTER ROLE %I SET timezone = ''UTC''', r), format('ALTER ROLE %I SET lock_timeout = ''1s''', r),
       format('ALTER ROLE %I SET statement_timeout = ''%s''', r, CASE WHEN r IN ('worker', 'sealer', 'auditor') THEN '30s' ELSE '3s' END),
       format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''30s''', r)
  FROM unnest(ARRAY['api', 'desk', 'porter', 'ingest', 'worker', 'sealer', 'auditor']) r \gexec
-- Every statement of these logins finds its rows by a key. A plan that was kept while a table was empty must not scan it
-- for ever after it has grown: filing fell from 100 messages a second to 13 by that.
SELECT format('ALTER ROLE %I SET enable_seqscan = off', r) FROM unnest(ARRAY['api', 'desk', 'porter', 'ingest', 'worker', 'sealer']) r \gexec
-- A page is 3 to 50 rows that one index gives in their order: making a bitmap and sorting cost more than the rows.
ALTER ROLE api SET enable_bitmapscan = off;
ALTER ROLE migrator SET timezone = 'UTC';
ALTER ROLE migrator SET lock_timeout = '4s';
ALTER ROLE migrator SET statement_timeout = '60s';
SELECT 'ALTER ROLE demo SET timezone = ''UTC''; ALTER ROLE demo SET statement_timeout = ''3s''' WHERE :'demo' = 'on' \gexec
-- The queue's library must find its table in its own schema.
ALTER ROLE worker SET search_path = jobs;

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), rolname)
  FROM pg_roles WHERE rolname IN ('api', 'desk', 'porter', 'ingest', 'worker', 'sealer', 'auditor', 'migrator', 'backup', 'demo') \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION lo_creat, lo_create, lo_from_bytea FROM PUBLIC;  -- nowhere to put anything aside

-- A function that somebody forgets to close is closed from the start.
ALTER DEFAULT PRIVILEGES FOR ROLE auth_owner, book_owner, book_reader, book_writer, migrator
  REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS deploy AUTHORIZATION migrator;       -- what is installed: migrations, SQL files, operations
CREATE SCHEMA IF NOT EXISTS auth AUTHORIZATION auth_owner;       -- who is asking, and the only key
CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION auth_owner;      -- the visitors' book
CREATE SCHEMA IF NOT EXISTS directory AUTHORIZATION auth_owner;  -- facilities: public facts
CREATE SCHEMA IF NOT EXISTS intake AUTHORIZATION auth_owner;     -- messages as they came, sealed
CREATE SCHEMA IF NOT EXISTS care AUTHORIZATION auth_owner;       -- care to come: slots, appointments
CREATE SCHEMA IF NOT EXISTS notice AUTHORIZATION auth_owner;     -- what people are told
CREATE SCHEMA IF NOT EXISTS jobs AUTHORIZATION auth_owner;       -- the queue
CREATE SCHEMA IF NOT EXISTS code AUTHORIZATION book_owner;       -- code lists
CREATE SCHEMA IF NOT EXISTS book AUTHORIZATION book_owner;       -- health data
CREATE SCHEMA IF NOT EXISTS op AUTHORIZATION book_reader;        -- trusted operations on a book
CREATE SCHEMA IF NOT EXISTS desk_op AUTHORIZATION auth_owner;    -- trusted operations on everything else

-- json is text in memory too. Without this, each text that an answer holds is copied twice, by json's output function and
-- text's input function. It is as implicit as PostgreSQL's own way (in assignments), and gives the same bytes.
SELECT 'CREATE CAST (json AS text) WITHOUT FUNCTION AS ASSIGNMENT'
 WHERE NOT EXISTS (SELECT FROM pg_cast WHERE castsource = 'json'::regtype AND casttarget = 'text'::regtype) \gexec
