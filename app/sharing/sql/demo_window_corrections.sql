-- owner: auth_owner
-- only: demo
-- Demo mode's login sees what is to be corrected as its owner does.
DROP POLICY IF EXISTS demo_book ON auth.correction;
CREATE POLICY demo_book ON auth.correction FOR SELECT TO demo
  USING (citizen_id = (SELECT CASE WHEN w.private THEN w.citizen_id END FROM auth.demo_window() w));
GRANT SELECT ON auth.correction TO demo;
