-- owner: auth_owner
-- What people agree to, word for word. A row is never changed: another text is another version.
-- Source: Law 91/2025/QH15 (per purpose, not bundled, provable, revocable); Decree 356/2025/ND-CP.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['consent_text', 'consent', 'identifier_join', 'disowned_visit'] LOOP
    EXECUTE format('ALTER TABLE auth.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('DROP POLICY IF EXISTS deciding ON auth.%I', t);
    EXECUTE format('CREATE POLICY deciding ON auth.%I TO auth_owner USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
INSERT INTO auth.consent_text VALUES
  ('NOTICES', 1, '2026-01-01', NULL,
   'Tôi đồng ý để Sổ Khỏe gửi lời nhắc đến điện thoại của tôi qua dịch vụ thông báo của hệ điều hành. Lời nhắc không chứa dữ liệu sức khỏe. Tôi có thể rút lại bất cứ lúc nào; không đồng ý không ảnh hưởng đến việc khám chữa bệnh.',
   'I agree that Sổ Khỏe sends reminders to my phone through its system''s notification service. A reminder holds no health data. I may withdraw at any time; refusing does not affect my care.'),
  ('STATISTICS', 1, '2026-01-01', NULL,
   'Tôi đồng ý để dữ liệu sức khỏe của tôi, sau khi đã khử nhận dạng, được dùng cho thống kê y tế công cộng. Tôi có thể rút lại bất cứ lúc nào; không đồng ý không ảnh hưởng đến việc khám chữa bệnh.',
   'I agree that my health data, once nobody can be recognised in it, is used for public health statistics. I may withdraw at any time; refusing does not affect my care.'),
  ('REPRESENTATION', 1, '2026-01-01', NULL,
   'Tôi ủy quyền cho người mà tôi đã chọn xem sổ sức khỏe của tôi trong phạm vi và thời hạn đã ghi. Tôi biết đây là dữ liệu cá nhân nhạy cảm và có thể rút lại ủy quyền bất cứ lúc nào.',
   'I mandate the person whom I chose to see my health book, to the extent and until the day that are written down. I know that this is sensitive personal data and may take the mandate back at any time.'),
  ('SHARING', 1, '2026-01-01', NULL,
   'Tôi đồng ý cho người hành nghề mà tôi đưa mã hoặc chấp thuận được xem phần sổ sức khỏe đã chọn, đúng mục đích, phạm vi và thời hạn đã ghi. Tôi biết đây là dữ liệu cá nhân nhạy cảm, mỗi lượt xem đều được ghi lại, và tôi có thể thu hồi bất cứ lúc nào.',
   'I agree that the practitioner to whom I give the code, or whose request I approve, sees the chosen part of the health book, for the purpose, to the extent and until the time that are written down. I know that this is sensitive personal data, that every view is recorded, and that I may take it back at any time.')
  ON CONFLICT DO NOTHING;
DROP POLICY IF EXISTS anybody ON auth.consent_text;
CREATE POLICY anybody ON auth.consent_text FOR SELECT TO desk USING (true);
DROP POLICY IF EXISTS own ON auth.consent;
CREATE POLICY own ON auth.consent FOR SELECT TO desk USING (citizen_id = (SELECT auth.me()));
DROP POLICY IF EXISTS own ON auth.identifier_join;
CREATE POLICY own ON auth.identifier_join FOR SELECT TO desk USING (citizen_id = (SELECT auth.me()));
-- Of a book's owner the ledger is not told: its readers may ask, and have no policy that would answer.
GRANT SELECT ON auth.consent_text, auth.consent, auth.identifier_join TO desk, book_reader;
GRANT EXECUTE ON FUNCTION auth.today TO book_reader;
