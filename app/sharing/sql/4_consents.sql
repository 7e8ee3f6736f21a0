-- owner: auth_owner
-- Shares and the consent ledger: a consent to share ends with its code or grant, and they end with it.
CREATE OR REPLACE FUNCTION auth.consents_over(shares uuid[], live auth.session) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE auth.consent c SET withdrawn_at = clock_timestamp(), withdrawn_by = live.citizen_id WHERE c.about_id = ANY (shares) AND c.withdrawn_at IS NULL
$$;

-- Cancels every live code of a book; returns how many.
CREATE OR REPLACE FUNCTION auth.cancel_live_codes(citizen uuid, live auth.session) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE cancelled uuid[];
BEGIN
  WITH done AS (
    UPDATE auth.share_code c SET cancelled_at = clock_timestamp(), verifier = NULL
     WHERE c.citizen_id = citizen AND c.redeemed_at IS NULL AND c.cancelled_at IS NULL AND c.redeemable_until > clock_timestamp() RETURNING c.id)
  SELECT coalesce(array_agg(id), '{}') INTO cancelled FROM done;
  PERFORM auth.consents_over(cancelled, live);
  RETURN cardinality(cancelled);
END $$;

-- Ends the code or grant that a withdrawn consent was of; another consent's is left as it is.
CREATE OR REPLACE FUNCTION auth.end_share_of(about uuid, live auth.session) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE cancelled auth.share_code;
BEGIN
  UPDATE auth.share_code c SET cancelled_at = clock_timestamp(), verifier = NULL
   WHERE c.id = about AND c.redeemed_at IS NULL AND c.cancelled_at IS NULL RETURNING c.* INTO cancelled;
  IF cancelled.id IS NOT NULL THEN
    PERFORM audit.write_line(cancelled.citizen_id, 'CODE_CANCELLED', live, jsonb_build_object('code', about));
  ELSIF about IS NOT NULL THEN
    PERFORM auth.end_grant(about, live, 'CONSENT_WITHDRAWN');
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.consents_over, auth.cancel_live_codes, auth.end_share_of FROM PUBLIC;
