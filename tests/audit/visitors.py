"""People who look into books, and the lines that they leave."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.core.ids import new_id
from tests.people import Stand, now

SESSION = "(SELECT s FROM auth.session s WHERE s.token_hash = sha256(convert_to(:token, 'UTF8')))"


@dataclass(frozen=True, slots=True)
class Visitors:
    """Makes citizens and practitioners, and writes lines as the product's functions do."""

    stand: Stand

    def citizen(self, name: str = "Nguyễn Thị Lan") -> UUID:
        """Register a citizen who has an empty book."""
        citizen_id = new_id(now=now())
        self.stand.as_owner(
            "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
            "VALUES (:id, :name, 'X', :born, 'DAY', 'FEMALE', now())",
            id=citizen_id,
            name=name,
            born=date(1980, 2, 3),
        )
        self.stand.as_owner("INSERT INTO auth.book (citizen_id, changed_at) VALUES (:id, now())", id=citizen_id)
        return citizen_id

    def practitioner(self, name: str = "Trần Văn Đức", *, facility: str = "01901") -> str:
        """Register a practitioner who works at a facility and return a bearer token."""
        practitioner_id = new_id(now=now())
        self.stand.as_owner(
            "INSERT INTO auth.practitioner (id, certificate, full_name, name_key, valid_from, registered_at) "
            "VALUES (:id, :certificate, :name, 'X', '2020-01-01', now())",
            id=practitioner_id,
            certificate=f"{practitioner_id.hex[-10:]}/HNO-GPHN",
            name=name,
        )
        self.stand.as_owner(
            "INSERT INTO auth.practitioner_place (practitioner_id, facility_code, valid_from) "
            "VALUES (:id, :facility, '2020-01-01')",
            id=practitioner_id,
            facility=facility,
        )
        return self.stand.practitioner_token(practitioner_id)

    def write(self, citizen: UUID, action: str, *, by: str | None, about: dict[str, Any] | None = None) -> int:
        """Write a line; nobody's session is the product itself. Returns its number."""
        who = "NULL::auth.session" if by is None else SESSION
        values = {} if by is None else {"token": by}
        rows = self.stand.as_owner(
            f"SELECT audit.write_line(:citizen, :action, {who}, CAST(:about AS jsonb))",
            citizen=citizen,
            action=action,
            about=json.dumps(about or {}),
            **values,
        )
        n: int = rows[0][0]
        return n

    def view(self, citizen: UUID, *, by: str, about: dict[str, Any] | None = None) -> int:
        """Write that somebody opened the book."""
        return self.write(citizen, "BOOK_OPENED", by=by, about={"operation": "DoctorView", **(about or {})})

    def lines(self, citizen: UUID) -> list[Any]:
        """Return the citizen's lines with their leaves and bodies."""
        return self.stand.as_owner(
            "SELECT l.*, f.hash, f.leaf_index, audit.body_of(l) AS body FROM audit.line l "
            "JOIN audit.leaf f USING (citizen_id, n) WHERE l.citizen_id = :citizen ORDER BY l.n",
            citizen=citizen,
        )


def leaf_of(nonce: bytes, body: str) -> bytes:
    """Return the leaf of a line. Source: RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\x00" + nonce + body.encode()).digest()


def canonical(value: object) -> str:
    """Return canonical JSON of what stands in a line. Source: RFC 8785, for ASCII keys and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
