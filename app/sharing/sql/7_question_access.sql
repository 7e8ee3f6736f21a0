-- owner: auth_owner
-- A citizen questions a line: a case with a deadline, once a line. It is a line itself. SK404: no such line for this
-- viewer · SK409: it is questioned already. Answer within 10 days: Decree 356/2025/ND-CP, Art. 5.
CREATE OR REPLACE FUNCTION audit.question_line(question uuid, target uuid, line_number bigint, why text, note bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live auth.session := auth.my_session(); present timestamptz := clock_timestamp();
BEGIN
  PERFORM FROM audit.line l WHERE l.citizen_id = auth.visitors_book(target::text) AND l.n = line_number;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such line' USING ERRCODE = 'SK404';
  END IF;
  INSERT INTO audit.question (id, citizen_id, n, reason, note_sealed, asked_by, asked_at, due_on, state)
  VALUES (question, target, line_number, why, note, live.citizen_id, present, auth.today() + 10, 'OPEN') ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'questioned already' USING ERRCODE = 'SK409';
  END IF;
  PERFORM audit.write_line(target, 'ACCESS_QUESTIONED', live, jsonb_build_object('line', line_number, 'question', question, 'reason', why));
END $$;
REVOKE ALL ON FUNCTION audit.question_line FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.question_line TO desk;

-- Whoever is responsible answers, at the service door. False: no such question waits.
CREATE OR REPLACE FUNCTION audit.answer_question(answered uuid, outcome text, by_whom text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE asked audit.question;
BEGIN
  UPDATE audit.question q SET state = outcome, answered_at = clock_timestamp(), answered_by = by_whom
   WHERE q.id = answered AND q.state = 'OPEN' RETURNING * INTO asked;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM audit.write_line(asked.citizen_id, 'QUESTION_ANSWERED', NULL, jsonb_build_object('line', asked.n, 'question', answered,
    'outcome', outcome));
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION audit.answer_question FROM PUBLIC;
