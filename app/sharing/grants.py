"""Grants: revoked, frozen, asked for, answered, opened in an emergency."""

import unicodedata
from datetime import timedelta

from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Remembered, Told
from app.core.errors import Invalid, NotFound, RateLimited, Text
from app.core.ids import known_id, known_id_if_any
from app.identity.families import lookup_of
from app.sharing import sql
from app.sharing.sql import Scope, Try

SHORTEST_REASON, LONGEST_REASON = 20, 500
FEWEST_LETTERS, FEWEST_DIFFERENT = 12, 5
BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by their category that show nothing. Source: Unicode 17, Default_Ignorable_Code_Point."""
SHORTEST_ACCESS, LONGEST_ACCESS = timedelta(minutes=5), timedelta(days=365)


def readable(reason: str) -> str:
    """Return a reason as a person reads it: composed, one space between words, nothing that is not seen.

    :raises Invalid: when too little of it can be read, or it is too long
    """
    shown = (
        " " if one.isspace() else one
        for one in unicodedata.normalize("NFC", reason)
        if one.isspace() or (unicodedata.category(one)[0] != "C" and one not in BLANK_LETTERS)
    )
    text = " ".join("".join(shown).split())
    letters = [one.casefold() for one in text if one.isalpha()]
    if (
        not SHORTEST_REASON <= len(text) <= LONGEST_REASON
        or len(letters) < FEWEST_LETTERS
        or len(set(letters)) < FEWEST_DIFFERENT
    ):
        raise Invalid(
            Text(
                f"reason phải là lời giải thích đọc được, dài từ {SHORTEST_REASON} đến {LONGEST_REASON} ký tự.",
                f"reason must be words that can be read, {SHORTEST_REASON} to {LONGEST_REASON} characters.",
            )
        )
    return text


async def revoke(session: Session, *, grant_id: str) -> Told:
    """Revoke a grant at once; one that has ended stays as it is.

    :raises NotFound: when it is not of their book
    """
    revoked = known_id(grant_id)
    return Told(kept={"grant_id": str(revoked), "closed_sessions": await sql.revoked_grant(session, grant_id=revoked)})


async def freeze(session: Session, *, citizen_id: str | None, frozen: bool) -> Told:
    """End all sharing of a book and let none begin, or let it begin again.

    :raises NotFound: when the book is not theirs to share
    :raises StepUpRequired: when it is let begin again without a fresh second factor
    """
    ended = await sql.frozen_sharing(session, target=known_id_if_any(citizen_id), frozen=frozen)
    return Told(
        kept={
            "frozen": frozen,
            "cancelled_codes": ended.cancelled_codes,
            "revoked_grants": ended.revoked_grants,
            "closed_sessions": ended.closed_sessions,
        }
    )


async def ask(
    session: Session,
    *,
    personal_id: str,
    facility_code: str,
    purpose: str,
    scope: Scope,
    access_minutes: int,
    context: Context,
) -> Told | Remembered:
    """Ask the person who has a number to share; the answer does not tell whether there is one.

    :raises NotFound: when the caller does not practise there
    :raises Invalid: when the scope is none, or the number no personal id
    """
    request_id = context.new_id()
    wait_seconds = await sql.asked_share(
        session,
        request_id=request_id,
        lookup=lookup_of(personal_id, vault=context.house.vault),
        facility_code=facility_code,
        purpose=purpose,
        scope=scope,
        access_minutes=access_minutes,
    )
    if wait_seconds is not None:
        return Remembered(RateLimited(retry_after_seconds=wait_seconds))
    return Told(kept={"request_id": str(request_id)})


async def approve(
    session: Session, *, request_id: str, scope: Scope | None, access_minutes: int | None, context: Context
) -> Told:
    """Give what was asked for, or less.

    :raises NotFound: when there is no such open request for them
    :raises Invalid: when more would be given than was asked for
    :raises StepUpRequired: without a fresh second factor
    """
    answered, grant_id = known_id(request_id), context.new_id()
    await sql.answered_request(
        session, request_id=answered, approved=True, scope=scope, access_minutes=access_minutes, grant_id=grant_id
    )
    return Told(kept={"request_id": str(answered), "grant_id": str(grant_id)})


async def refuse(session: Session, *, request_id: str) -> Told:
    """Refuse a request.

    :raises NotFound: when there is no such open request for them
    """
    answered = known_id(request_id)
    await sql.answered_request(session, request_id=answered, approved=False)
    return Told(kept={"request_id": str(answered)})


async def count_emergency(
    session: Session, *, key: str, personal_id: str, facility_code: str, reason: str, context: Context
) -> Try:
    """Count a try before it is judged; what is no personal id is no try.

    :raises Invalid: when the number is none, or the reason none that a person can read
    :raises NotFound: when the caller is no practitioner
    :raises StepUpRequired: without a fresh second factor
    :raises RateLimited: when they tried too often
    """
    lookup_of(personal_id, vault=context.house.vault)
    readable(reason)
    tried = await sql.counted_emergency(session, try_id=context.new_id(), key=key, facility_code=facility_code[:20])
    if tried.wait_seconds is not None:
        raise RateLimited(retry_after_seconds=tried.wait_seconds)
    return tried


async def open_emergency(
    session: Session, *, personal_id: str, facility_code: str, reason: str, tried: Try | None, context: Context
) -> Told | Remembered:
    """Open what an emergency needs, for a day. The citizen is told in the same transaction."""
    grant_id = None
    if tried is not None:
        grant_id = await sql.emergency_grant(
            session,
            try_id=tried.id,
            lookup=lookup_of(personal_id, vault=context.house.vault),
            facility_code=facility_code,
            reason=readable(reason),
            grant_id=context.new_id(),
        )
    return Remembered(NotFound()) if grant_id is None else Told(kept={"grant_id": str(grant_id)})
