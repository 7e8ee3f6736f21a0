-- owner: book_writer
-- Hides records from everybody but their owner, or shows them again, with all that belongs to them: a visit with its
-- records (those too that went while they were hidden and may come again), a record with its lines, the appointments that
-- either tells, and what was taken back of it. SK404: one of them is not in this book · SK409: shown again alone, though its visit
-- is hidden. Returns how many of those that were named are changed.
CREATE OR REPLACE FUNCTION book.mask_records(target uuid, wanted uuid[], hidden boolean) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  citizen uuid := auth.open_writing(target, CASE WHEN hidden THEN 'RECORDS_MASKED' ELSE 'RECORDS_UNMASKED' END,
    jsonb_build_object('records', to_jsonb(wanted)), CASE WHEN hidden THEN NULL ELSE 'UNMASK' END);
  t record; found_count int := 0; changed int := 0; n int; m int;
BEGIN
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.may_be_masked LOOP
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE masked <> $3) FROM book.%I WHERE citizen_id = $1 AND id = ANY ($2)', t.name)
      INTO n, m USING citizen, wanted, hidden;
    found_count := found_count + n;
    changed := changed + m;
    IF NOT hidden AND t.name <> 'visit' THEN
      EXECUTE format('SELECT count(*) FROM book.%I r JOIN book.visit v ON v.citizen_id = $1 AND %s
        WHERE r.citizen_id = $1 AND r.id = ANY ($2) AND v.masked AND v.id <> ALL ($2)', t.name, CASE t.key WHEN 'visit_id' THEN 'v.id = r.visit_id'
          ELSE '(v.facility_code, v.source_id) = (r.facility_code, r.visit_source_id)' END) INTO n USING citizen, wanted;
      IF n > 0 THEN
        RAISE EXCEPTION 'its visit is hidden' USING ERRCODE = 'SK409';
      END IF;
    END IF;
  END LOOP;
  SELECT a.found_count, a.changed INTO n, m FROM book.mask_appointments(citizen, wanted, hidden) a;
  found_count := found_count + n;
  changed := changed + m;
  SELECT w.found_count, w.changed INTO n, m FROM book.mask_withdrawals(citizen, wanted, hidden) w;
  found_count := found_count + n;
  changed := changed + m;
  IF found_count <> cardinality(ARRAY(SELECT DISTINCT unnest(wanted))) THEN
    RAISE EXCEPTION 'no such record' USING ERRCODE = 'SK404';
  END IF;
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.may_be_masked LOOP
    EXECUTE format('UPDATE book.%I SET masked = $3 WHERE citizen_id = $1 AND (%s) AND masked <> $3', t.name,
      CASE WHEN t.key = 'visit_id' THEN 'id = ANY ($2) OR visit_id = ANY ($2)' WHEN t.name = 'visit' THEN 'id = ANY ($2)'
        ELSE 'id = ANY ($2) OR (facility_code, visit_source_id) IN (SELECT v.facility_code, v.source_id FROM book.visit v
          WHERE v.citizen_id = $1 AND v.id = ANY ($2))' END
      || CASE t.name WHEN 'vaccination' THEN ' OR dose_id IN (SELECT d.dose_id FROM book.vaccination d WHERE d.citizen_id = $1 AND d.id = ANY ($2))'
         ELSE '' END) USING citizen, wanted, hidden;
  END LOOP;
  UPDATE book.arrival_order o SET hidden = '{}' WHERE NOT mask_records.hidden AND o.citizen_id = citizen AND (o.facility_code, o.source_id) IN (
    SELECT v.facility_code, v.source_id FROM book.visit v WHERE v.citizen_id = citizen AND v.id = ANY (wanted));
  FOR t IN SELECT g.* FROM book.guarded() g WHERE g.key IS NOT NULL AND NOT g.may_be_masked LOOP
    EXECUTE format('UPDATE book.%1$I l SET masked = r.masked FROM book.%2$I r
      WHERE r.citizen_id = $1 AND l.citizen_id = $1 AND l.%3$I = r.id AND l.masked <> r.masked', t.name, t.holder, t.key) USING citizen;
  END LOOP;
  RETURN changed;
END $$;

REVOKE ALL ON FUNCTION book.mask_records FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.mask_records TO desk;
