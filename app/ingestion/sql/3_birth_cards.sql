-- owner: auth_owner
-- Whom the temporary card of a certificate names already, where that may be its child: born that day, of that sex and name, and of no
-- other mother or certificate. A card that was written for the wrong child, or the mother's own, makes nobody the child.
CREATE OR REPLACE FUNCTION auth.child_of_card(card auth.identifier, child auth.citizen, mother uuid, certificate text) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.id FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id JOIN auth.citizen m ON m.id = child_of_card.mother
   WHERE i.kind = card.kind AND i.lookup = card.lookup AND i.valid_until IS NULL AND c.id <> m.id
     AND c.birth_on = child.birth_on AND (c.sex = child.sex OR 'UNDETERMINED' IN (c.sex, child.sex))
     AND (child.name_key IS NULL OR c.name_key IN (child.name_key, m.name_key, 'CON BA ' || m.name_key))
     AND NOT EXISTS (SELECT FROM auth.birth b WHERE b.child_id = c.id
                        AND (b.mother_id, b.certificate) <> (child_of_card.mother, child_of_card.certificate))
$$;

CREATE OR REPLACE FUNCTION auth.name_by_card(child uuid, card auth.identifier, message uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO auth.identifier (id, citizen_id, kind, lookup, sealed, valid_from, source_message_id)
  SELECT card.id, child, card.kind, card.lookup, card.sealed, clock_timestamp(), message WHERE card.lookup IS NOT NULL AND child IS NOT NULL
      ON CONFLICT (kind, lookup) WHERE valid_until IS NULL DO NOTHING
$$;
REVOKE ALL ON FUNCTION auth.child_of_card, auth.name_by_card FROM PUBLIC;
