-- owner: auth_owner
-- Ends a grant and the live subscriptions that it opened; returns how many, without those whose process died. It holds at
-- the next statement of whoever reads: each opening judges the grant again.
CREATE OR REPLACE FUNCTION auth.end_grant(ended uuid, live auth.session, why text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE citizen uuid; closed int;
BEGIN
  UPDATE auth.book_grant g SET revoked_at = clock_timestamp(), revoked_why = why
   WHERE g.id = ended AND g.revoked_at IS NULL AND g.ends_at > clock_timestamp() RETURNING g.citizen_id INTO citizen;
  IF FOUND THEN
    PERFORM auth.consents_over(ARRAY[ended], live);
    PERFORM audit.write_line(citizen, 'GRANT_REVOKED', live, jsonb_build_object('grant', ended, 'reason', why));
    PERFORM notice.happened(citizen, 'GRANT_ENDED', jsonb_build_object('grant', ended), 'grant-ended-' || ended);
  END IF;
  WITH gone AS (DELETE FROM auth.live_subscription s WHERE s.grant_id = ended RETURNING s.kept_at)
  SELECT count(*) INTO closed FROM gone WHERE kept_at > clock_timestamp() - interval '1 minute';
  RETURN closed;
END $$;

-- Revokes a grant of one's own book. SK404: there is none. Revoked or ended before, it stays as it is.
CREATE OR REPLACE FUNCTION auth.revoke_grant(revoked uuid, OUT closed_sessions int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); citizen uuid;
BEGIN
  SELECT g.citizen_id INTO citizen FROM auth.book_grant g WHERE g.id = revoked;
  PERFORM auth.acting_for(live, coalesce(citizen, gen_random_uuid()));  -- absent and another's look alike
  closed_sessions := auth.end_grant(revoked, live, 'CITIZEN');
END $$;

-- Cancels every live code, revokes every live grant and lets none be given until it is undone, which asks for a second
-- factor. Emergency access stays possible: it is told and reviewed.
CREATE OR REPLACE FUNCTION auth.freeze_sharing(target uuid, frozen boolean, OUT cancelled_codes int, OUT revoked_grants int, OUT closed_sessions int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); citizen uuid := (auth.acting_for(live, target)).citizen_id; one uuid;
BEGIN
  cancelled_codes := 0; revoked_grants := 0; closed_sessions := 0;
  IF frozen IS NOT TRUE THEN
    PERFORM auth.require_step_up(live, 'SHARE');
  END IF;
  PERFORM FROM auth.book b WHERE b.citizen_id = citizen FOR UPDATE;
  UPDATE auth.book b SET sharing_frozen_at = CASE WHEN frozen THEN coalesce(b.sharing_frozen_at, clock_timestamp()) END WHERE b.citizen_id = citizen;
  IF frozen THEN
    cancelled_codes := auth.cancel_live_codes(citizen, live);
    FOR one IN SELECT g.id FROM auth.book_grant g WHERE g.citizen_id = citizen AND g.revoked_at IS NULL AND g.ends_at > clock_timestamp() LOOP
      closed_sessions := closed_sessions + auth.end_grant(one, live, 'FROZEN');
      revoked_grants := revoked_grants + 1;
    END LOOP;
  END IF;
  PERFORM audit.write_line(citizen, CASE WHEN frozen THEN 'SHARING_FROZEN' ELSE 'SHARING_UNFROZEN' END, live,
    jsonb_build_object('codes', cancelled_codes, 'grants', revoked_grants));
END $$;
REVOKE ALL ON FUNCTION auth.end_grant, auth.revoke_grant, auth.freeze_sharing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.revoke_grant, auth.freeze_sharing TO desk;
