"""`sokhoe restored`: after an older copy of the database was brought back, before anything serves."""

from typing import Any

from sqlalchemy import text

from app.commands.console import AsJson, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.db import Session

_WORDS = {
    "codes": "mã chia sẻ / share codes",
    "grants": "quyền xem / accesses",
    "mandates": "ủy quyền / mandates",
    "pairings": "ghép nối của người hành nghề / practitioners' pairings",
    "feeds": "địa chỉ lịch / calendar addresses",
    "activations": "mã kích hoạt / activation codes",
    "sessions": "phiên đăng nhập / sessions",
}


def restored(as_json: AsJson = False) -> None:
    """End what may have been ended since an older copy of the database was made. Run it before anything serves again.

    After a restore, what people ended since the copy lives again, and nobody knows what that was. All sessions end,
    and share codes, accesses to books, mandates, practitioners' pairings, calendar addresses and activation codes;
    people are told, and give again what they want. No app is told any more that its kept answer still stands.
    """

    async def step(session: Session) -> dict[str, Any]:
        await session.execute(text("SET LOCAL statement_timeout = 0"))  # every book, every session
        await session.execute(text("SET LOCAL ROLE auth_owner"))
        return dict((await session.execute(text("SELECT * FROM auth.end_restored()"))).mappings().one())

    ended = run(as_migrator(read_settings(), step))
    show(ended, as_json=as_json, text="\n".join(f"{ended[name]:>8}  {words}" for name, words in _WORDS.items()))
