-- owner: auth_owner
-- Forgets a live subscription that its client has ended.
CREATE OR REPLACE FUNCTION notice.stop_listening(subscription uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM auth.live_subscription s WHERE s.id = subscription
$$;
REVOKE ALL ON FUNCTION notice.stop_listening FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice.stop_listening TO desk;
