-- owner: book_owner
-- The tables of a book and what guards each row: the sections that show it (bits of BookSection), its date, and what a
-- narrower scope asks for: `ids` name it (its own id, or the visit's that it belongs to) beside its facility, or it is a
-- line of `parent` (by `key`) and is shown with it. It belongs to `holder` by `key`: masks and classes go down that way.
-- Allergies have no date here: no share of a year hides one. Records by themselves name their visit by its number.
CREATE OR REPLACE FUNCTION book.guarded()
RETURNS TABLE (name text, bits int, dated text, ids text[], parent text, key text, holder text, may_be_masked boolean)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  VALUES
    ('visit', 1, 'started_at', '{id}'::text[], NULL, NULL, NULL, true),
    ('visit_diagnosis', 1 | 64, 'recorded_at', '{visit_id}', NULL, 'visit_id', 'visit', false),
    ('visit_insurance', 1 | 256, 'shown_at', '{visit_id}', NULL, 'visit_id', 'visit', false),
    ('visit_service', 1, NULL, NULL, 'visit', 'visit_id', 'visit', false),
    ('prescription', 2, 'ordered_at', '{id,visit_id}', NULL, 'visit_id', 'visit', true),
    ('prescription_item', 2, NULL, NULL, 'prescription', 'prescription_id', 'prescription', false),
    ('test_report', 8, 'resulted_at', '{id,visit_id}', NULL, 'visit_id', 'visit', true),
    ('test_result', 8, 'resulted_at', NULL, 'test_report', 'report_id', 'test_report', false),
    ('document', 32, 'dated_at', '{id,visit_id}', NULL, 'visit_id', 'visit', true),
    ('progress_note', 32, 'noted_at', NULL, 'document', 'document_id', 'document', false),
    ('vital_signs', 1 | 32, 'measured_at', '{document_id,visit_id}', NULL, 'document_id', 'document', false),
    ('withdrawal', 1, 'dated_at', '{id}', NULL, NULL, NULL, false),
    ('vaccination', 4, 'injected_at', '{id,dose_id}', NULL, NULL, NULL, true),
    ('vaccination_reaction', 4, NULL, NULL, 'vaccination', 'vaccination_id', 'vaccination', false),
    ('reported_reaction', 4, NULL, NULL, 'vaccination', 'dose_id', 'vaccination', false),
    ('imaging_study', 16, 'started_at', '{id}', NULL, NULL, NULL, true),
    ('condition', 64, 'recorded_at', '{id}', NULL, NULL, NULL, true),
    ('allergy', 128, NULL, '{id}', NULL, NULL, NULL, true),
    ('allergy_reaction', 128, NULL, NULL, 'allergy', 'allergy_id', 'allergy', false)
$$;

-- The condition of a policy. `says` gives what was decided: `citizen`, `sections`, `whole` and the whole `decision` as SQL
-- texts. A row that nothing hides, in a book that is open as a whole, costs two comparisons: each page pays for every row,
-- and each statement for every node of its plan (infra/decisions/0023-what-a-read-costs.md).
CREATE OR REPLACE FUNCTION book.condition(name text, bits int, dated text, ids text[], parent text, key text, says jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('citizen_id = (SELECT CASE WHEN %s & %s <> 0 THEN %s END)', says->>'sections', bits, says->>'citizen')
    || format(' AND ((NOT masked AND sensitive = 0 AND (SELECT %s)) OR ', says->>'whole')
    || CASE WHEN parent IS NOT NULL
      THEN format('book.shown_with((SELECT %s), masked, sensitive, %s, %L, citizen_id, %I))', says->>'decision',
                  coalesce(quote_ident(dated), 'NULL'), parent, key)
      ELSE format('book.shown((SELECT %s), masked, sensitive, %s, facility_code, ARRAY[%s]))', says->>'decision',
                  coalesce(quote_ident(dated), 'NULL'), (SELECT string_agg(quote_ident(id), ', ') FROM unnest(ids) id)) END
$$;
REVOKE ALL ON FUNCTION book.guarded, book.condition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book.guarded TO book_writer, worker;
