-- owner: auth_owner
-- After an undone change: the receipts of what was sent again tell that it waits, and what the record was made of before is filed again.
CREATE OR REPLACE FUNCTION auth.restore_filed(split_id uuid, citizen uuid, source text, resent uuid[], remark jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked intake.message; named text;
BEGIN
  SELECT m.* INTO STRICT asked FROM intake.message m WHERE m.id = split_id AND m.format = 'split' AND m.status = 'received';
  FOR named IN SELECT DISTINCT f.source_id FROM auth.filing f WHERE f.message_id = ANY (resent) AND f.citizen_id = citizen LOOP
    UPDATE intake.message m SET verdict = intake.with_remark(m.verdict, named, remark), status = intake.with_remark(m.verdict, named, remark)->>'status'
     WHERE m.id = ANY (resent) AND m.status IN ('filed', 'partly') AND m.format NOT IN ('withdrawal', 'split')
       AND m.verdict @? '$.visits[*] ? (@.status == "filed")';
  END LOOP;
  PERFORM intake.file_again(ARRAY(SELECT DISTINCT f.message_id FROM auth.filing f
    WHERE f.facility_code = asked.facility_code AND f.source_id = source AND f.citizen_id = citizen AND f.message_id <> ALL (resent)));
END $$;
REVOKE ALL ON FUNCTION auth.restore_filed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.restore_filed TO worker;
