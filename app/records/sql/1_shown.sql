-- owner: book_owner
-- Whether a decision shows a row of the open book whose section it opens: by its masks and classes and, where a scope is
-- narrower than the whole book, by its date, facility and ids (its own, or the visit's that it belongs to). Policies ask it
-- only for rows that not everybody sees and in narrower scopes; an owner's page does not pay for them.
CREATE OR REPLACE FUNCTION book.shown(decision auth.reading_window, masked boolean, sensitive smallint, dated timestamptz,
                                      facility text, ids uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (decision.unmasked OR NOT masked) AND sensitive & ~decision.sensitive = 0
    AND (decision.whole
      OR (dated IS NULL OR (dated >= decision.since AND dated < decision.until))
        AND (decision.facilities IS NULL OR facility = ANY (decision.facilities)) AND (decision.records IS NULL OR decision.records && ids));
END $$;

-- The same for a line of something: in a narrower scope it is shown with it. `dated` is null for what has no date of its own.
CREATE OR REPLACE FUNCTION book.shown_with(decision auth.reading_window, masked boolean, sensitive smallint, dated timestamptz,
                                           parent text, citizen uuid, parent_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT ((decision.unmasked OR NOT masked) AND sensitive & ~decision.sensitive = 0) THEN
    RETURN false;
  ELSIF decision.whole THEN
    RETURN true;
  ELSIF NOT (dated IS NULL OR (dated >= decision.since AND dated < decision.until)) THEN
    RETURN false;
  ELSIF parent = 'visit' THEN
    RETURN EXISTS (SELECT FROM book.visit p WHERE p.citizen_id = citizen AND p.id = parent_id);
  ELSIF parent = 'prescription' THEN
    RETURN EXISTS (SELECT FROM book.prescription p WHERE p.citizen_id = citizen AND p.id = parent_id);
  ELSIF parent = 'test_report' THEN
    RETURN EXISTS (SELECT FROM book.test_report p WHERE p.citizen_id = citizen AND p.id = parent_id);
  ELSIF parent = 'document' THEN
    RETURN EXISTS (SELECT FROM book.document p WHERE p.citizen_id = citizen AND p.id = parent_id);
  ELSIF parent = 'vaccination' THEN
    RETURN EXISTS (SELECT FROM book.vaccination p WHERE p.citizen_id = citizen AND p.id = parent_id);
  ELSIF parent = 'allergy' THEN
    RETURN EXISTS (SELECT FROM book.allergy p WHERE p.citizen_id = citizen AND p.id = parent_id);
  END IF;
  RAISE EXCEPTION 'no such parent' USING ERRCODE = 'XX000';
END $$;
REVOKE ALL ON FUNCTION book.shown, book.shown_with FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.shown, book.shown_with TO book_reader;
