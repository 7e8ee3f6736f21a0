-- owner: auth_owner
-- After the restore of an older copy what people ended since lives again, and nobody knows what that was. So all that they can
-- end is ended, and they give again what they want; told to each as if it were ended singly. For the service door.
-- Which of it, and what not: infra/decisions/0043-after-an-older-copy.md
CREATE OR REPLACE FUNCTION auth.end_restored(OUT codes int, OUT grants int, OUT mandates int, OUT pairings int, OUT feeds int, OUT activations int, OUT sessions int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE one record; r auth.representation; present timestamptz := clock_timestamp();
BEGIN
  codes := 0; grants := 0; mandates := 0; sessions := 0;
  -- Or a version that phones hold would come a second time with another content, and they would be told that theirs stands; nor does a cursor go on.
  UPDATE auth.book b SET version = greatest(b.version + 1, (extract(epoch FROM present) * 1000)::bigint), restored_at = present;
  FOR one IN
    SELECT e.* FROM (SELECT c.citizen_id FROM auth.share_code c WHERE c.redeemed_at IS NULL AND c.cancelled_at IS NULL AND c.redeemable_until > present
       UNION SELECT g.citizen_id FROM auth.book_grant g WHERE g.revoked_at IS NULL AND g.ends_at > present) found, auth.end_sharing(found.citizen_id, 'RESTORED') e LOOP
    codes := codes + one.cancelled_codes; grants := grants + one.revoked_grants;
  END LOOP;
  FOR r IN UPDATE auth.representation o SET ended_at = present WHERE o.kind = 'MANDATE' AND o.ended_at IS NULL RETURNING o.* LOOP
    UPDATE auth.consent c SET withdrawn_at = present, withdrawn_by = c.citizen_id WHERE c.about_id = r.id AND c.withdrawn_at IS NULL;
    PERFORM audit.write_line(r.dependant_id, 'GUARDIAN_ENDED', NULL::auth.session, jsonb_build_object('representation', r.id, 'kind', r.kind, 'why', 'RESTORED'));
    PERFORM auth.tell_family(r, 'GUARDIAN_ENDED');
    mandates := mandates + 1;
  END LOOP;
  UPDATE auth.pairing p SET ended_at = present WHERE p.ended_at IS NULL;
  GET DIAGNOSTICS pairings = ROW_COUNT;
  UPDATE care.calendar_feed f SET revoked_at = present WHERE f.revoked_at IS NULL;
  GET DIAGNOSTICS feeds = ROW_COUNT;
  UPDATE auth.activation a SET expires_at = present WHERE a.used_at IS NULL AND a.expires_at > present;
  GET DIAGNOSTICS activations = ROW_COUNT;
  FOR one IN
    WITH gone AS (UPDATE auth.session s SET ended_at = present WHERE s.ended_at IS NULL RETURNING s.id, s.citizen_id, s.practitioner_id)
    SELECT coalesce(g.citizen_id, p.citizen_id) AS person, array_agg(g.id) AS ids FROM gone g LEFT JOIN auth.practitioner p ON p.id = g.practitioner_id GROUP BY 1 LOOP
    sessions := sessions + cardinality(one.ids);
    IF one.person IS NOT NULL THEN
      PERFORM audit.write_line(one.person, 'SESSION_ENDED', NULL::auth.session, jsonb_build_object('sessions', one.ids, 'why', 'RESTORED'));
    END IF;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION auth.end_restored FROM PUBLIC;
