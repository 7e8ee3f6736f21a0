-- owner: auth_owner
-- After an undone join a visit leaves this book. SK404: the signed-in citizen undid no join of it.
CREATE OR REPLACE FUNCTION auth.part_with_visit(split_id uuid, join_id uuid, facility text, visit text, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM auth.identifier_join j JOIN auth.filing f ON f.message_id = ANY (j.message_ids) AND f.citizen_id = j.other_id
    WHERE j.id = join_id AND j.citizen_id = auth.me() AND j.undone_at IS NOT NULL AND (f.facility_code, f.source_id) = (facility, visit);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such visit' USING ERRCODE = 'SK404';
  END IF;
  PERFORM intake.keep_split(split_id, facility, sealed);
END $$;
REVOKE ALL ON FUNCTION auth.part_with_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.part_with_visit TO desk;

-- Opens the book that a visit leaves. A disowned visit stands in nobody's book then, and its facility is told on the receipt
-- of every message that brought it.
CREATE OR REPLACE FUNCTION auth.prepare_split(split_id uuid, citizen uuid, visit text, remark jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked intake.message; told uuid[];
BEGIN
  SELECT m.* INTO STRICT asked FROM intake.message m WHERE m.id = split_id AND m.format = 'split' AND m.status = 'received';
  IF EXISTS (SELECT FROM auth.disowned_visit d WHERE (d.citizen_id, d.facility_code, d.source_id) = (citizen, asked.facility_code, visit) AND d.undone_at IS NULL) THEN
    UPDATE auth.filing f SET withdrawn_at = clock_timestamp()
     WHERE (f.citizen_id, f.facility_code, f.source_id) = (citizen, asked.facility_code, visit) AND f.withdrawn_at IS NULL;
    told := array(SELECT f.message_id FROM auth.filing f WHERE (f.citizen_id, f.facility_code, f.source_id) = (citizen, asked.facility_code, visit));
    UPDATE intake.message m SET verdict = intake.with_remark(m.verdict, visit, remark), status = intake.with_remark(m.verdict, visit, remark)->>'status'
     WHERE m.id = ANY (told) AND m.status IN ('filed', 'partly') AND m.format NOT IN ('withdrawal', 'split');
    PERFORM auth.take_up_after(asked, citizen, visit);
  END IF;
  INSERT INTO auth.filing VALUES (split_id, 0, citizen, asked.facility_code, visit, clock_timestamp()) ON CONFLICT DO NOTHING;
END $$;

-- A verdict with a remark on one of its visits, which is in quarantine by it.
CREATE OR REPLACE FUNCTION intake.with_remark(verdict jsonb, visit text, remark jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT verdict || jsonb_build_object('visits', marked, 'status', CASE WHEN marked @? '$[*] ? (@.status == "filed")' THEN 'partly' ELSE 'quarantined' END)
    FROM (SELECT coalesce(jsonb_agg(CASE WHEN v->>'visit' = visit
            THEN v || jsonb_build_object('status', 'quarantined', 'problems', coalesce(v->'problems', '[]') || remark) ELSE v END ORDER BY n), '[]') AS marked
            FROM jsonb_array_elements(verdict->'visits') WITH ORDINALITY x (v, n)) m
$$;
REVOKE ALL ON FUNCTION auth.prepare_split, intake.with_remark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.prepare_split TO worker;
