-- owner: auth_owner
-- What the back door does every minute: erases the hashes of codes that nobody can redeem any more, tells citizens why
-- codes of theirs were refused and which grants ended, and forgets old tries and announcements that nobody used. Telling waits for this, so that a refusal
-- takes as long for a code that exists as for one that does not.
CREATE OR REPLACE FUNCTION auth.sweep_sharing() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE done int := 0; one record; nobody auth.session;
BEGIN
  UPDATE auth.share_code c SET lookup = NULL, verifier = NULL
   WHERE c.redeemable_until < clock_timestamp() AND (c.lookup IS NOT NULL OR c.verifier IS NOT NULL);
  FOR one IN UPDATE auth.share_try t SET told_at = clock_timestamp() WHERE t.id IN (
      SELECT w.id FROM auth.share_try w WHERE w.told_at IS NULL AND w.citizen_id IS NOT NULL AND w.at < clock_timestamp() - interval '3 seconds'
       ORDER BY w.at LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING t.* LOOP
    nobody.practitioner_id := one.practitioner_id;
    PERFORM audit.write_line(one.citizen_id, 'CODE_REFUSED', nobody, jsonb_build_object('code', one.code_id, 'reason', one.reason, 'at', one.at));
    PERFORM notice.happened(one.citizen_id, 'CODE_REFUSED', jsonb_build_object('code', one.code_id, 'reason', one.reason), 'code-refused-' || one.id);
    done := done + 1;
  END LOOP;
  FOR one IN UPDATE auth.book_grant g SET end_told_at = clock_timestamp() WHERE g.id IN (
      SELECT w.id FROM auth.book_grant w WHERE w.end_told_at IS NULL AND w.revoked_at IS NULL AND w.ends_at <= clock_timestamp()
       ORDER BY w.ends_at LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING g.* LOOP
    DELETE FROM auth.live_subscription s WHERE s.grant_id = one.id;
    PERFORM notice.happened(one.citizen_id, 'GRANT_ENDED', jsonb_build_object('grant', one.id), 'grant-ended-' || one.id);
    done := done + 1;
  END LOOP;
  FOR one IN SELECT w.id, w.citizen_id FROM auth.book_grant w WHERE w.end_told_at IS NULL AND w.revoked_at IS NULL
      AND w.ends_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 day' AND w.ends_at - w.starts_at > interval '3 days' LOOP
    PERFORM notice.happened(one.citizen_id, 'GRANT_ENDING', jsonb_build_object('grant', one.id), 'grant-ending-' || one.id);
  END LOOP;
  DELETE FROM auth.share_try t WHERE t.at < clock_timestamp() - interval '7 days';
  DELETE FROM auth.announcement a WHERE a.at < clock_timestamp() - interval '1 minute';
  DELETE FROM auth.book_use u WHERE u.used_on < (clock_timestamp() - interval '7 days')::date;
  RETURN done;
END $$;
REVOKE ALL ON FUNCTION auth.sweep_sharing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.sweep_sharing TO worker;
