"""A personal id is cancelled and issued again: the service door has seen the paper that names both.

It is issued again after a correction of birth date or sex; the cancelled one is never anybody else's.
Source: Decree 102/2025 Art. 6 (the personal id is the health id).
"""

import json
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import text

from app.core.crypto import Place, Vault
from app.core.db import Session
from app.core.errors import Conflict, Invalid, NotFound, Text
from app.core.words import words
from app.identity.families import lookup_of
from app.identity.names import name_key
from app.identity.persons import sex_of

_SAME = Text("Hai số định danh giống nhau.", "Both personal ids are the same.")
_NOBODY = Text("Không có sổ nào đang mở theo số cũ.", "No open book goes by the old number.")
_UNCLEAR = Text(
    "Số mới đã thuộc về sổ này rồi, hoặc chưa rõ hai số là của một người: họ tên khác, cả ngày sinh và giới tính khác, "
    "hoặc sổ theo số mới đã đóng hay đang có quan hệ đại diện. Hãy để cơ sở y tế sửa thông tin, hoặc chấm dứt việc đại "
    "diện ở số mới, rồi làm lại.",
    "The new number is this book's already, or it is not clear that both are one person: the name differs, or birth "
    "date and sex both do, or the book of the new number is closed or has a representation. Have the facility correct "
    "it, or end the representation under the new number, then try again.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reissue:
    """What the paper says; the ids are those of the new rows."""

    old: str = field(repr=False)
    new: str = field(repr=False)
    full_name: str = field(repr=False)
    birth_on: date = field(repr=False)
    identifier_id: UUID
    join_id: UUID


async def reissue(session: Session, *, paper: Reissue, vault: Vault) -> UUID:
    """Let both numbers name the book of the old one, with birth date and sex as corrected; returns whose it is.

    :raises Invalid: when one is no personal id, or both are the same
    :raises NotFound: when no open book goes by the old one
    :raises Conflict: when it is done already, or both may be two people
    """
    old, new = (lookup_of(number, vault=vault) for number in (paper.old, paper.new))
    if old == new:
        raise Invalid(_SAME)
    digits = "".join(words(paper.new).split())
    place = Place(table="auth.identifier", column="sealed", row_id=paper.identifier_id)
    told = {
        "name_key": name_key(paper.full_name),
        "birth_precision": "DAY",
        "birth_on": paper.birth_on.isoformat(),
        "sex": sex_of(digits),
        "join_id": str(paper.join_id),
        "identifier": {
            "id": str(paper.identifier_id),
            "lookup": "\\x" + new.hex(),
            "sealed": "\\x" + vault.sealer.seal(digits.encode(), place=place).hex(),
        },
    }
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    query = text("SELECT citizen, outcome FROM auth.reissue_number(CAST(:told AS jsonb), :old)")
    done = (await session.execute(query, {"told": json.dumps(told), "old": old})).one()
    if done.outcome == "NOBODY":
        raise NotFound(_NOBODY)
    if done.outcome == "UNCLEAR":
        raise Conflict(_UNCLEAR)
    return UUID(str(done.citizen))
