-- owner: auth_owner
-- The service door takes the second factor of somebody who lost it, after seeing who they are: all their sessions end, and the
-- next one begins at the identity provider, where a first factor may be enrolled. False when they have none.
CREATE OR REPLACE FUNCTION auth.drop_factor(target uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE dropped uuid;
BEGIN
  DELETE FROM auth.factor f WHERE f.citizen_id = target AND f.confirmed_at IS NOT NULL RETURNING f.id INTO dropped;
  IF dropped IS NULL THEN
    RETURN false;
  END IF;
  UPDATE auth.session s SET ended_at = clock_timestamp() WHERE s.ended_at IS NULL
     AND (s.citizen_id = target OR s.practitioner_id IN (SELECT p.id FROM auth.practitioner p WHERE p.citizen_id = target));
  PERFORM notice.happened(target, 'FACTOR_CHANGED', jsonb_build_object('factor', dropped, 'replaced', false));
  PERFORM audit.write_line(target, 'FACTOR_CHANGED', NULL::auth.session, jsonb_build_object('factor', dropped, 'dropped', true));
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION auth.drop_factor FROM PUBLIC;
