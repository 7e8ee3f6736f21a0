-- owner: auth_owner
-- Whether this viewer announced this very reading of this citizen's book: within the last 10 seconds, and in a transaction
-- that is over. Who holds the connection could else read and roll back: the body was seen, the line is gone.
-- `told` must stand in the line's `about` (the grant, for instance). The line's own transaction is compared, not xmin,
-- which a savepoint would change: secured reading, trap 1 (infra/decisions/0002-postgresql-is-the-guard.md).
CREATE OR REPLACE FUNCTION audit.announced(citizen uuid, line_number bigint, live auth.session, operation text, told jsonb DEFAULT '{}')
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM audit.line l
    WHERE l.citizen_id = citizen AND l.n = line_number AND l.category = 'VIEW'
      AND l.actor_id = coalesce(live.practitioner_id, live.citizen_id)
      AND l.about @> (told || jsonb_build_object('operation', operation))
      AND l.at > clock_timestamp() - interval '10 seconds'
      AND l.transaction IS DISTINCT FROM pg_current_xact_id_if_assigned())
$$;
REVOKE ALL ON FUNCTION audit.announced FROM PUBLIC;
