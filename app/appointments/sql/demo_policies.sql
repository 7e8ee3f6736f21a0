-- owner: auth_owner
-- only: demo
-- Demo mode's login reads appointments of the book that open_demo_book has open.
DROP POLICY IF EXISTS demo_book ON care.appointment;
CREATE POLICY demo_book ON care.appointment FOR SELECT TO demo USING (
  citizen_id = (SELECT CASE WHEN w.sections & 512 <> 0 THEN w.citizen_id END FROM auth.demo_window() w)
  AND starts_at >= (SELECT w.since FROM auth.demo_window() w) AND starts_at < (SELECT w.until FROM auth.demo_window() w)
  AND (NOT masked OR (SELECT w.unmasked FROM auth.demo_window() w))
  AND (sensitive = 0 OR sensitive & ~(SELECT w.sensitive FROM auth.demo_window() w) = 0)
  AND ((SELECT w.whole FROM auth.demo_window() w)
    OR ((SELECT w.facilities FROM auth.demo_window() w) IS NULL OR facility_code = ANY ((SELECT w.facilities FROM auth.demo_window() w)::text[]))
      AND ((SELECT w.records FROM auth.demo_window() w) IS NULL OR id = ANY ((SELECT w.records FROM auth.demo_window() w)::uuid[]))));
GRANT USAGE ON SCHEMA care TO demo;
GRANT SELECT ON care.appointment TO demo;
