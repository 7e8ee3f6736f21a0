-- owner: auth_owner
-- Whom an account of the identity provider belongs to. The account is known by (issuer, subject) and by nothing else;
-- the personal id finds the citizen, and only when name and birth date agree and nobody else's account is there
-- (security.md T6, B80). Who is not known yet is registered, with an empty book. `person` is made by app/identity/login.py.
-- A number that hospitals wrote for somebody else by mistake, and took back since, is free (auth.let_go).
-- A code of a facility's desk overrules a name or birth date that differs, and finds a record without a personal id.
-- Outcome: KNOWN, REGISTERED, or why not: ACCOUNT_CLOSED, NUMBER_DIFFERS, OTHER_ACCOUNT, CLOSED, NAME_DIFFERS, BIRTH_DIFFERS,
-- CODE_REFUSED.
CREATE OR REPLACE FUNCTION auth.admit_person(provider text, account_subject text, person jsonb, activation bytea, OUT account uuid, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sent auth.citizen := jsonb_populate_record(NULL::auth.citizen, person);
  number auth.identifier := jsonb_populate_record(NULL::auth.identifier, person->'identifier');
  linked auth.account;
  known auth.citizen;
BEGIN
  -- The same lock as match_person takes: a message and a sign-in about a new person take turns.
  PERFORM pg_advisory_xact_lock(hashtextextended(encode(number.lookup, 'hex'), 0));
  PERFORM pg_advisory_xact_lock(hashtextextended(provider || ' ' || account_subject, 1));
  SELECT a.* INTO linked FROM auth.account a WHERE a.issuer = provider AND a.subject = account_subject;
  SELECT c.* INTO known FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id
   WHERE i.kind = 'PERSONAL_ID' AND i.lookup = number.lookup AND i.valid_until IS NULL;
  outcome := CASE
    WHEN linked.closed_at IS NOT NULL THEN 'ACCOUNT_CLOSED'
    WHEN linked.id IS NOT NULL AND linked.citizen_id IS DISTINCT FROM known.id THEN 'NUMBER_DIFFERS'
    WHEN linked.id IS NULL AND EXISTS (SELECT FROM auth.account a
      WHERE a.citizen_id = known.id AND a.issuer = provider AND a.closed_at IS NULL) THEN 'OTHER_ACCOUNT'
    WHEN known.id IS NULL THEN 'REGISTERED'
    WHEN known.closed_at IS NOT NULL THEN 'CLOSED'
    WHEN translate(known.name_key, ' ''-.,', '') <> translate(sent.name_key, ' ''-.,', '') THEN 'NAME_DIFFERS'
    WHEN extract(year FROM known.birth_on) <> extract(year FROM sent.birth_on)
      OR (known.birth_on <> sent.birth_on AND known.birth_precision <> 'YEAR' AND sent.birth_precision <> 'YEAR') THEN 'BIRTH_DIFFERS'
    ELSE 'KNOWN' END;
  IF activation IS NULL AND outcome IN ('NAME_DIFFERS', 'BIRTH_DIFFERS') AND auth.let_go(known.id) THEN
    outcome := 'REGISTERED';
  END IF;
  IF activation IS NOT NULL AND outcome IN ('REGISTERED', 'NAME_DIFFERS', 'BIRTH_DIFFERS') THEN
    known.id := auth.adopt_record(activation, provider, account_subject, known.id, sent, number);
    outcome := CASE WHEN known.id IS NULL THEN 'CODE_REFUSED' ELSE 'KNOWN' END;
  END IF;
  IF outcome = 'REGISTERED' THEN
    sent.registered_at := clock_timestamp();
    INSERT INTO auth.citizen SELECT sent.*;
    INSERT INTO auth.book (citizen_id, changed_at) VALUES (sent.id, clock_timestamp());
    INSERT INTO auth.identifier (id, citizen_id, kind, lookup, sealed, valid_from)
    VALUES (number.id, sent.id, 'PERSONAL_ID', number.lookup, number.sealed, clock_timestamp());
    known.id := sent.id;
  ELSIF outcome <> 'KNOWN' THEN
    RETURN;
  END IF;
  account := linked.id;
  IF account IS NULL THEN
    account := (person->>'account_id')::uuid;
    INSERT INTO auth.account (id, issuer, subject, citizen_id, linked_at)
    VALUES (account, provider, account_subject, known.id, clock_timestamp());
  END IF;
END $$;
REVOKE ALL ON FUNCTION auth.admit_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.admit_person TO porter;
