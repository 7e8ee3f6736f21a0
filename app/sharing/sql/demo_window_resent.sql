-- owner: auth_owner
-- only: demo
-- Demo mode's login sees what of the open book was sent again.
DROP POLICY IF EXISTS demo_book ON auth.resent;
CREATE POLICY demo_book ON auth.resent FOR SELECT TO demo USING (citizen_id = (SELECT w.citizen_id FROM auth.demo_window() w));
GRANT SELECT ON auth.resent TO demo;
