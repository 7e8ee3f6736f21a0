-- owner: auth_owner
-- As what a signed-in citizen may open another one's book, and how far: the widest of the representations that are good
-- today. `unmasked`: sees what was hidden. `may_share`: may share it too. `closed`: the classes that the law closes to
-- them, `hidden`: those that the owner hides; `viewer_name` is as it is now. SK404: none; absent and forbidden are alike.
CREATE OR REPLACE FUNCTION auth.stands_for(viewer uuid, target uuid, OUT kind text, OUT sections int, OUT unmasked boolean,
                                           OUT may_share boolean, OUT closed int, OUT hidden int, OUT viewer_name text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE day date := (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date;  -- auth.today()
BEGIN
  SELECT x.kind, e.sections, x.unmasked, x.may_share, x.closed, (SELECT k.hidden_classes FROM auth.book k WHERE k.citizen_id = target), x.full_name
    INTO kind, sections, unmasked, may_share, closed, hidden, viewer_name
    FROM (SELECT r.kind, CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.unmasked ELSE r.kind = 'COURT' END AS unmasked,
                 CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.may_share ELSE r.kind = 'COURT' END AS may_share,
                 auth.extent_of(r, d.closed_at IS NOT NULL OR v.closed_at IS NOT NULL, b.extent, day) AS extent,
                 auth.closed_from(d.birth_on, day) AS closed, v.full_name
            FROM auth.representation r JOIN auth.citizen d ON d.id = target JOIN auth.citizen v ON v.id = viewer
            CROSS JOIN auth.bands(d.birth_on, day) b
           WHERE r.representative_id = viewer AND r.dependant_id = target AND r.ended_at IS NULL OFFSET 0) x  -- each judged once
    JOIN auth.extent e ON e.code = x.extent AND e.sections > 0
   ORDER BY 3 DESC, 2 DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such book' USING ERRCODE = 'SK404';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION auth.representation(live auth.session, target uuid, OUT kind text, OUT sections int, OUT unmasked boolean,
                                               OUT may_share boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  SELECT s.kind, s.sections, s.unmasked, s.may_share INTO kind, sections, unmasked, may_share FROM auth.stands_for(live.citizen_id, target) s;
END $$;

-- Whether somebody may open a book to others today: it is their own, or they act in everything for whose it is. What they
-- prepared and another one completes (a code, a request to represent) is judged by it again when that happens.
CREATE OR REPLACE FUNCTION auth.may_share_for(actor uuid, citizen uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT actor = citizen OR EXISTS (SELECT FROM auth.representation r JOIN auth.citizen d ON d.id = r.dependant_id, auth.band_on(d.birth_on, auth.today()) b
     WHERE r.representative_id = actor AND r.dependant_id = citizen AND r.ended_at IS NULL AND auth.extent_on(r, auth.today()) <> 'NONE'
       AND CASE WHEN r.kind IN ('PARENT', 'GUARDIAN') THEN b.may_share ELSE r.kind = 'COURT' END)
$$;

-- The classes that a representative does not see: what may have been done by them, and HIV from 15 years on.
-- Source: Law 64/2006/QH11 as amended by Law 71/2020/QH14, Art. 30.
CREATE OR REPLACE FUNCTION auth.closed_from(born date, day date) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN 32 | CASE WHEN day >= born + interval '15 years' THEN 1 ELSE 0 END;
REVOKE ALL ON FUNCTION auth.stands_for, auth.representation, auth.may_share_for, auth.closed_from FROM PUBLIC;
