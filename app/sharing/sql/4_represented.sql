-- owner: auth_owner
-- Opens a dependant's book for their representative; the line is written in the transaction of the reading.
CREATE OR REPLACE FUNCTION auth.open_represented(viewer uuid, target uuid, operation text, OUT citizen_id uuid, OUT sections int, OUT etag text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE stands record := auth.stands_for(viewer, target);  -- SK404: none
        classes int := 63 & ~stands.closed; done boolean; line bigint;
BEGIN
  citizen_id := target;
  sections := stands.sections;
  done := auth.settle(target, sections, '-infinity', 'infinity', stands.unmasked, classes, stands.hidden, '', '', true);
  line := audit.append(target, 'BOOK_OPENED', 'VIEW', 'REPRESENTATIVE', viewer, stands.viewer_name, NULL,
    format('{"kind":"%s","operation":%s,"scope":{"sections":%s,"sensitive":%s}}', stands.kind, CAST(JSON_SCALAR(operation) AS text), sections, classes));
  -- No ETag from here: the book's version would tell of classes that a representative never sees. The gateway makes one of the answer.
END $$;

-- Whose book a person means who names `target`, or nobody: their own, or that of somebody for whom they
-- may share too. SK404.
CREATE OR REPLACE FUNCTION auth.acting_for(live auth.session, target uuid, OUT citizen_id uuid, OUT representation text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF live.citizen_id IS NULL THEN
    RAISE EXCEPTION 'not a citizen''s session' USING ERRCODE = 'SK404';
  END IF;
  IF coalesce(live.level, 1) < 2 THEN
    RAISE EXCEPTION 'account level too low' USING ERRCODE = 'SK403';
  END IF;
  citizen_id := coalesce(target, live.citizen_id);
  IF citizen_id <> live.citizen_id THEN
    SELECT r.kind INTO representation FROM auth.representation(live, citizen_id) r WHERE r.may_share;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'no right to share' USING ERRCODE = 'SK404';
    END IF;
  END IF;
END $$;

-- Of a scope, what somebody may open to others: all of their own book, of another's what they may see of it themselves.
-- SK422: nothing is left.
CREATE OR REPLACE FUNCTION auth.within_reach(scope jsonb, live auth.session, citizen uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE sections int := (scope->>'sections')::int; closed int := 0;
BEGIN
  IF citizen <> live.citizen_id THEN
    sections := sections & (auth.representation(live, citizen)).sections;
    closed := auth.closed_to_representatives(citizen);
  END IF;
  IF sections = 0 THEN
    RAISE EXCEPTION 'nothing of it to share' USING ERRCODE = 'SK422';
  END IF;
  RETURN scope || jsonb_build_object('sections', sections, 'sensitive', (scope->>'sensitive')::int & ~closed);
END $$;
REVOKE ALL ON FUNCTION auth.open_represented, auth.acting_for, auth.within_reach FROM PUBLIC;
