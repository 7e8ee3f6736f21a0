-- Who else reads heavy books: for each its parent (the next citizen by number; the child is 14, so that what was hidden is
-- hidden from the parent too) and a practitioner by a grant, one for twenty books. One visit in twenty is hidden by its owner.
SET session_replication_role = replica;
SET synchronous_commit = off;
UPDATE audit.tree SET sealed_at = now() + interval '1 hour';  -- as if a sealer were there
UPDATE auth.citizen c SET birth_on = (now() - interval '14 years 6 months')::date FROM bench.person p WHERE p.id = c.id AND p.heavy;
INSERT INTO auth.representation (id, dependant_id, representative_id, kind, evidence, valid_from, added_at, accepted_at)
SELECT uuidv7(), p.id, parent.id, 'PARENT', 'BIRTH_CERTIFICATE', now()::date - 1, now(), now()
  FROM bench.person p JOIN bench.person parent ON parent.number = p.number + 1 WHERE p.heavy;

CREATE TEMP TABLE doctor AS SELECT n, uuidv7() AS id, uuidv7() AS session_id, 'bench-doctor-' || lpad(n::text, 8, '0') AS token
  FROM generate_series(0, (SELECT max(number) / 200 FROM bench.person)) n;
INSERT INTO auth.practitioner (id, certificate, full_name, name_key, valid_from, registered_at)
SELECT id, lpad(n::text, 6, '0') || '/HNO-CCHN', 'Bác sĩ ' || n, 'BAC SI', '2020-01-01', now() FROM doctor;
INSERT INTO auth.practitioner_place (practitioner_id, facility_code, valid_from) SELECT id, '01001', '2020-01-01' FROM doctor;
INSERT INTO auth.session (id, token_hash, practitioner_id, created_at, expires_at)
SELECT session_id, sha256(convert_to(token, 'UTF8')), id, now(), now() + interval '1 day' FROM doctor;
CREATE TABLE bench.shared AS SELECT p.number, uuidv7() AS grant_id, d.token FROM bench.person p JOIN doctor d ON d.n = p.number / 200 WHERE p.heavy;
INSERT INTO auth.book_grant (id, citizen_id, citizen_name, practitioner_id, practitioner_certificate, practitioner_name, facility_code, kind, purpose,
  scope, requested_by, session_id, confirmed_at, starts_at, ends_at)
SELECT s.grant_id, p.id, 'Bench', d.id, lpad(d.n::text, 6, '0') || '/HNO-CCHN', 'Bác sĩ ' || d.n, '01001', 'CODE', 'TREATMENT',
       '{"sections": 1023, "sensitive": 0, "since": null, "until": null, "facilities": null, "records": null}', p.id, d.session_id,
       now(), now() - interval '1 minute', now() + interval '1 day'
  FROM bench.shared s JOIN bench.person p USING (number) JOIN doctor d ON d.token = s.token;

CREATE TEMP TABLE hidden AS SELECT v.citizen_id, v.id FROM book.visit v JOIN bench.person p ON p.id = v.citizen_id WHERE p.heavy AND hashint8(extract(epoch FROM v.started_at)::bigint) % 20 = 0;
UPDATE book.visit v SET masked = true FROM hidden h WHERE (v.citizen_id, v.id) = (h.citizen_id, h.id);
UPDATE book.visit_diagnosis v SET masked = true FROM hidden h WHERE (v.citizen_id, v.visit_id) = (h.citizen_id, h.id);
