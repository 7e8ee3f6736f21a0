"""Private calendar addresses: whoever has one reads it, so it tells nothing and can be ended."""

from collections.abc import Mapping
from typing import Any

from app.appointments import sql
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.core.ids import known_id, known_id_if_any


async def create(session: Session, *, citizen_id: str | None, context: Context) -> Told:
    """Make a calendar address, in place of the one that the caller had for this citizen."""
    feed = str(context.new_id())
    secret = secret_of(feed, context=context)
    target = known_id_if_any(citizen_id)
    await sql.make_feed(session, secret=secret, target=target, feed=known_id(feed))
    return Told(kept={"feed_id": feed}, secret=told_of(feed, context=context))


async def revoke(session: Session, *, citizen_id: str | None) -> Told:
    """End the calendar addresses of a citizen."""
    ended = await sql.revoke_feeds(session, target=known_id_if_any(citizen_id))
    return Told(kept={"revoked": ended})


def secret_of(feed: str, *, context: Context) -> str:
    """Return a feed's secret: it follows from the feed's id and a key of ours, and is stored nowhere."""
    return context.house.vault.derivation.secret("calendar feed", feed)


def told_of(feed: str, *, context: Context) -> Mapping[str, Any]:
    """Return what the maker of a feed is told."""
    url = f"{context.house.settings.public_url.rstrip('/')}/calendar/{secret_of(feed, context=context)}.ics"
    return {"url": url}


def again(*, asked: object, kept: Mapping[str, Any], context: Context) -> Mapping[str, Any]:  # noqa: ARG001 - as actions are called
    """Tell a feed's maker once more."""
    return told_of(str(kept["feed_id"]), context=context)
