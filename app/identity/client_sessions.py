"""Sessions of facilities' systems: an assertion is verified, counted once, and answered with an opaque token."""

from datetime import timedelta

from app.core.context import Context
from app.core.db import Session
from app.core.ids import new_secret
from app.identity import sql
from app.identity.clients import ClientCredentials, authenticate, not_paired, replayed
from app.identity.jwt import parse_key


async def open_session(session: Session, *, asked: ClientCredentials, context: Context) -> str:
    """Return an access token for the facility that signed the assertion, or for the practitioner whom it names.

    :raises OAuthError: the same for an unknown client, a wrong key, a replay and a suspended facility;
        `invalid_grant` for a practitioner who has not paired with it, or does not practise there today
    Source: RFC 7523 §3.
    """
    settings = context.house.settings
    keys = [parse_key(jwk) for jwk in await sql.client_keys(session, client_id=asked.client_id)]
    audiences = frozenset({settings.public_url, f"{settings.public_url}/auth/token"})
    proof = authenticate(asked, keys=keys, audiences=audiences, now=context.now)
    token = new_secret()
    opened = await sql.open_client_session(
        session,
        client_id=asked.client_id,
        assertion_id=proof.jti,
        assertion_expires_at=proof.expires_at,
        session_id=context.new_id(),
        token=token,
        life=timedelta(seconds=settings.facility_token_seconds),
        practitioner=asked.practitioner,
    )
    if opened is None:
        raise not_paired()
    if not opened:
        raise replayed()
    return token
