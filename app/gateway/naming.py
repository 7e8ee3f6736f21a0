"""Puts the names of public lists into answers, from what this process has read of them lately."""

from app.compiler import names
from app.core.context import Context
from app.core.db import connection_errors

_NAMES = "SELECT op.names($1, $2, $3)"


def edition_of(version: str | None) -> str:
    """Return the edition of the public lists that a book's version tells of; nothing where it tells of none."""
    return (version or "").partition("-")[2]


async def with_names(text: bytes, *, edition: str, context: Context) -> bytes:
    """Return an operation's text with the names in the places of their marks; those not known are asked for at once."""
    pieces = names.split(text)
    if len(pieces) == 1:
        return text
    known = context.house.names.texts(context.language, now=context.now, edition=edition)
    try:
        return names.put_in(pieces, known)
    except KeyError:
        wanted = sorted({mark for mark in pieces[1::2] if mark not in known})
    lists, codes = zip(*map(names.asked, wanted), strict=True)
    with connection_errors():
        found = await context.house.api.fetchval(_NAMES, lists, codes, context.language)
    known.update({mark: names.said(mark, name) for mark, name in zip(wanted, found, strict=True)})
    return names.put_in(pieces, known)
