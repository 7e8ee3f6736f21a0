-- owner: auth_owner
-- Opens one's own book (or a dependant's) as a doctor would see it with `scope`: the same decision as a grant's, made
-- narrower by what the viewer may see themselves. No line: nobody else sees anything.
CREATE OR REPLACE FUNCTION auth.open_preview(token text, proof_key bytea, scope jsonb, target uuid, operation text,
                                             OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE live auth.session; shown jsonb;
BEGIN
  PERFORM auth.refuse_stale();
  live := auth.live_session(token, substr(proof_key, 1, 32));
  IF length(proof_key) > 32 THEN
    PERFORM auth.spend_proof(live.id, proof_key);
  END IF;
  IF live.practitioner_id IS NOT NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK405';
  ELSIF live.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a person''s session' USING ERRCODE = 'SK401';
  END IF;
  citizen_id := (auth.acting_for(live, target)).citizen_id;
  shown := auth.within_reach(auth.scope_of(scope), live, citizen_id);
  sections := (shown->>'sections')::int;
  IF citizen_id <> live.citizen_id THEN
    PERFORM audit.write_line(citizen_id, 'BOOK_OPENED', live, jsonb_build_object('operation', operation, 'kind', 'PREVIEW', 'scope', shown));
  END IF;
  PERFORM auth.decide(citizen_id, shown, false, false, (SELECT b.hidden_classes FROM auth.book b WHERE b.citizen_id = citizen_id));
END $$;

REVOKE ALL ON FUNCTION auth.open_preview FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.open_preview TO book_reader;
