-- owner: auth_owner
-- As what a signed-in citizen may open another one's book, and how far: the widest of the representations that are good
-- today. `unmasked`: sees what was hidden. `may_share`: may share it too. SK404: none; absent and forbidden are alike.
CREATE OR REPLACE FUNCTION auth.representation(live auth.session, target uuid, OUT kind text, OUT sections int, OUT unmasked boolean,
                                               OUT may_share boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE day date := auth.today();
BEGIN
  SELECT r.kind, e.sections,
         CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.unmasked ELSE r.kind = 'COURT' END,
         CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.may_share ELSE r.kind = 'COURT' END
    INTO kind, sections, unmasked, may_share
    FROM auth.representation r JOIN auth.citizen d ON d.id = r.dependant_id JOIN auth.citizen v ON v.id = r.representative_id
    CROSS JOIN auth.band_on(d.birth_on, day) b
    JOIN auth.extent e ON e.code = auth.extent_of(r, d.closed_at IS NOT NULL OR v.closed_at IS NOT NULL, b.extent, day)
   WHERE r.representative_id = live.citizen_id AND r.dependant_id = target AND r.ended_at IS NULL AND e.sections > 0
   ORDER BY 3 DESC, 2 DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.representation FROM PUBLIC;
