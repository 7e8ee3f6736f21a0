-- owner: book_owner
-- One dose may be told by several facilities, or twice by one that changed its system. What tells of the same dose shares a
-- `dose_id`, the id of the row that is shown. Nothing is thrown away: when a source goes, the others are gathered anew.
-- The same dose: given on the same day in Viet Nam, an antigen in common (or, of vaccines that are not known, the same code
-- or name), lots that do not differ, and no other number of the same facility (two sites on one day are two doses).
-- The result depends on the rows alone, not on their order of arrival.
CREATE OR REPLACE FUNCTION book.gather_doses(citizen uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one record; leaders book.vaccination[]; lots text[]; numbers jsonb[]; at int; today date; is_exact boolean;
BEGIN
  FOR one IN
    SELECT v AS source, (v.injected_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, v.id, v.antigens, v.facility_code, v.dose_number,
           v.status, v.injected_precision, upper(regexp_replace(v.lot_number, '[^[:alnum:]]', '', 'g')) AS lot,
           coalesce(v.vaccine_system || '|' || v.vaccine_code, lower(v.vaccine_name)) AS vaccine
      FROM book.vaccination v WHERE v.citizen_id = citizen
     ORDER BY day, cardinality(v.antigens) DESC, v.lot_number IS NULL, NOT v.is_primary_source, v.dose_number IS NULL,
              v.facility_code, v.source_id LOOP
    IF today IS DISTINCT FROM one.day THEN
      today := one.day; leaders := '{}'; lots := '{}'; numbers := '{}';
    END IF;
    is_exact := one.status = 'GIVEN' AND one.injected_precision IN ('DAY', 'MINUTE');
    at := (SELECT l FROM generate_subscripts(leaders, 1) l
            WHERE is_exact AND coalesce(lots[l] = one.lot, true)
              AND coalesce((numbers[l]->>one.facility_code)::int = one.dose_number, true)
              AND ((leaders[l]).antigens && one.antigens OR (cardinality((leaders[l]).antigens) + cardinality(one.antigens) = 0
                   AND coalesce((leaders[l]).vaccine_system || '|' || (leaders[l]).vaccine_code, lower((leaders[l]).vaccine_name)) = one.vaccine))
            ORDER BY l LIMIT 1);
    IF at IS NULL THEN
      at := coalesce(cardinality(leaders), 0) + 1;
      IF is_exact THEN
        leaders[at] := one.source; lots[at] := one.lot; numbers[at] := '{}';
      END IF;
    END IF;
    IF is_exact THEN
      lots[at] := coalesce(lots[at], one.lot);
      IF one.dose_number IS NOT NULL THEN
        numbers[at] := numbers[at] || jsonb_build_object(one.facility_code, one.dose_number);
      END IF;
    END IF;
    UPDATE book.vaccination v SET dose_id = CASE WHEN is_exact THEN (leaders[at]).id ELSE one.id END
     WHERE v.citizen_id = citizen AND v.id = one.id AND v.dose_id <> CASE WHEN is_exact THEN (leaders[at]).id ELSE one.id END;
  END LOOP;
  -- Who hides a dose hides it whole: another source must not show it again.
  UPDATE book.vaccination v SET masked = true WHERE v.citizen_id = citizen AND NOT v.masked AND EXISTS (
    SELECT FROM book.vaccination s WHERE s.citizen_id = citizen AND s.dose_id = v.dose_id AND s.masked);
  UPDATE book.vaccination_reaction r SET masked = v.masked FROM book.vaccination v
   WHERE r.citizen_id = citizen AND v.citizen_id = citizen AND v.id = r.vaccination_id AND r.masked <> v.masked;
  -- What the citizen reported stays with its dose: with the source that was shown then, else with another of the same day.
  UPDATE book.reported_reaction r SET dose_id = (SELECT v.dose_id FROM book.vaccination v
    WHERE v.citizen_id = citizen AND (v.id = r.vaccination_id OR (v.status = 'GIVEN' AND v.antigens && r.antigens
      AND (v.injected_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = r.injected_on))
    ORDER BY v.id <> r.vaccination_id, v.dose_id LIMIT 1) WHERE r.citizen_id = citizen;
END $$;
REVOKE ALL ON FUNCTION book.gather_doses FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.gather_doses TO worker;
