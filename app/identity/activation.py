"""Activation: a facility's desk gives somebody a code for the record that it registered.

The person types it into the app before signing in (`activation` at /auth/login). It has the form of a share code, is
good once and for three days, and only with an account of level 2 whose personal id does not contradict the record.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from app.core.clock import moment_text
from app.core.codes import new_code, shown, spoken
from app.core.context import Context
from app.core.db import Session
from app.core.errors import Invalid, NotFound, Text
from app.core.strict_json import NotStrictJson, read_object
from app.identity import sql
from app.identity.login import activation_hash

KINDS: Final = frozenset({"PERSONAL_ID", "OLD_ID", "PASSPORT", "OTHER", "INSURANCE_NUMBER"})
INSURANCE_DIGITS: Final = 10
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{5,20}\Z", re.ASCII)
_BAD_NUMBER: Final = Text(
    f"Cần một đối tượng JSON có kind ({', '.join(sorted(KINDS))}) và number gồm 5 đến 20 chữ số hoặc chữ cái.",
    f"One JSON object is needed with kind ({', '.join(sorted(KINDS))}) and number, 5 to 20 digits or letters.",
)
_NOBODY: Final = Text(
    "Cơ sở chưa gửi hồ sơ nào của người có số này, hoặc người này đã có tài khoản.",
    "This facility has sent no record of a person with this number, or the person has an account.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A person by a number."""

    kind: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A code that was made."""

    code: str = field(repr=False)
    until: datetime

    def body(self) -> dict[str, object]:
        """Return the members of the JSON answer."""
        return {"code": shown(self.code), "spoken": spoken(self.code), "expiresAt": moment_text(self.until)}


def read_number(body: bytes) -> Numbered:
    """Read `{"kind": "PERSONAL_ID", "number": "…"}`.

    :raises Invalid: when it is anything else
    """
    try:
        sent = read_object(body)
    except NotStrictJson:
        raise Invalid(_BAD_NUMBER) from None
    kind, number = sent.get("kind"), sent.get("number")
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(number, str) or not _NUMBER.match(number):
        raise Invalid(_BAD_NUMBER)
    if kind == "INSURANCE_NUMBER":
        number = number[-INSURANCE_DIGITS:]  # a card's last ten characters outlive the card
    return Numbered(kind=kind, number=number.upper())


async def make(session: Session, *, asked: Numbered, context: Context) -> Activation:
    """Make a code for somebody whom the calling facility registered; it replaces the one before.

    :raises NotFound: when there is nobody of that kind
    """
    code = new_code()
    until = await sql.make_activation(
        session,
        token=context.token or "",
        new_id=context.new_id(),
        kind=asked.kind,
        number=context.house.vault.index.of(asked.number, kind=asked.kind),
        code=activation_hash(code, context=context),
        life=timedelta(hours=context.house.settings.activation_hours),
    )
    if until is None:
        raise NotFound(_NOBODY)
    return Activation(code=code, until=until)
