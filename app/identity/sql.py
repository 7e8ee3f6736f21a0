"""The room's SQL: clients, logins and sessions. The functions stand in sql/*.sql."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session


async def client_keys(session: Session, *, client_id: str) -> list[dict[str, Any]]:
    """Return the public keys (JWK) of a facility's system; none for an unknown or suspended one."""
    return list(await session.scalars(text("SELECT auth.client_keys(:client_id)"), {"client_id": client_id}))


async def open_client_session(
    session: Session,
    *,
    client_id: str,
    assertion_id: str,
    assertion_expires_at: datetime,
    session_id: UUID,
    token: str,
    life: timedelta,
    practitioner: str | None = None,
) -> bool | None:
    """Open the session of a facility's system, for itself or for a practitioner by certificate.

    False when the assertion was used before; nothing when the practitioner has not paired with it.
    """
    query = text(
        "SELECT auth.open_client_session(:client_id, :assertion_id, :assertion_expires_at, :session_id, :token, :life, "
        ":practitioner)"
    )
    values = {
        "client_id": client_id,
        "assertion_id": assertion_id,
        "assertion_expires_at": assertion_expires_at,
        "session_id": session_id,
        "token": token,
        "life": life,
        "practitioner": practitioner,
    }
    opened: bool | None = await session.scalar(query, values)
    return opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that came back to the browser that began it."""

    issuer: str
    client_id: str
    redirect_uri: str
    challenge: str
    app_state: str = field(repr=False)
    return_path: str | None
    scope: str
    key_thumbprint: bytes | None = None
    activation: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """How long a session of an app lives."""

    access: timedelta
    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What became of a renewal; without a scope there is none."""

    outcome: str
    scope: str | None
    level: int | None
    seconds: int | None


async def make_activation(
    session: Session, *, token: str, new_id: UUID, kind: str, number: bytes, code: bytes, life: timedelta
) -> datetime | None:
    """Keep an activation code for somebody whom the calling facility registered; until when, or nothing."""
    query = text("SELECT auth.make_activation(:token, :new_id, :kind, :number, :code, :life)")
    values = {"token": token, "new_id": new_id, "kind": kind, "number": number, "code": code, "life": life}
    found: datetime | None = await session.scalar(query, values)
    return found


async def begin_login(
    session: Session, *, state: str, browser: str, asked: Mapping[str, str | None], life: timedelta
) -> None:
    """Remember a login under way."""
    query = text("SELECT auth.begin_login(:state, :browser, CAST(:asked AS jsonb), :life)")
    values = {"state": state, "browser": browser, "asked": json.dumps(dict(asked)), "life": life}
    await session.execute(query, values)


async def take_login(session: Session, *, state: str, browser: str) -> Login | None:
    """Take a login for good; none when it is unknown, late, taken or another browser's."""
    query = text(
        "SELECT issuer, client_id, redirect_uri, challenge, app_state, return_path, scope, key_thumbprint, activation "
        "FROM auth.take_login(:state, :browser)"
    )
    row = (await session.execute(query, {"state": state, "browser": browser})).one_or_none()
    return None if row is None else Login(**row._asdict())


async def admit_person(
    session: Session, *, issuer: str, subject: str, person: Mapping[str, object], activation: bytes | None
) -> tuple[UUID | None, str]:
    """Return the account of a person and how it was found; without an account, why not."""
    query = text(
        "SELECT account, outcome FROM auth.admit_person(:issuer, :subject, CAST(:person AS jsonb), :activation)"
    )
    values = {"issuer": issuer, "subject": subject, "person": json.dumps(dict(person)), "activation": activation}
    row = (await session.execute(query, values)).one()
    return row.account, row.outcome


async def is_practitioner(session: Session, *, account: UUID) -> bool:
    """Tell whether the person of an account may practise today; the register's row remembers who signed in with it."""
    query = text("SELECT auth.practitioner_of_account(:account)")
    return await session.scalar(query, {"account": account}) is not None


async def issue_handoff(session: Session, *, code: str, granted: Mapping[str, object], life: timedelta) -> None:
    """Keep a one-time code for an app."""
    query = text("SELECT auth.issue_handoff(:code, CAST(:granted AS jsonb), :life)")
    await session.execute(query, {"code": code, "granted": json.dumps(dict(granted)), "life": life})


async def redeem_handoff(
    session: Session,
    *,
    code: str,
    client_id: str,
    redirect_uri: str,
    challenge: str,
    key: bytes | None,
    device: Mapping[str, object],
    session_id: UUID,
    access_token: str,
    refresh_token: str,
    lives: Lives,
) -> tuple[str, int] | None:
    """Open the session of a code and return its scope and level; none when the code is refused."""
    query = text(
        "SELECT scope, level FROM auth.redeem_handoff(:code, :client_id, :redirect_uri, :challenge, :key, "
        "CAST(:device AS jsonb), :session_id, :access_token, :refresh_token, :access, :idle, :absolute)"
    )
    values = {
        "code": code,
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "challenge": challenge,
        "key": key,
        "device": json.dumps(dict(device)),
        "session_id": session_id,
        "access_token": access_token,
        "refresh_token": refresh_token,
        "access": lives.access,
        "idle": lives.idle,
        "absolute": lives.absolute,
    }
    row = (await session.execute(query, values)).one_or_none()
    return None if row is None else (row.scope, row.level)


async def renew_session(
    session: Session,
    *,
    refresh_token: str,
    client_id: str,
    key: bytes | None,
    new_access: str,
    new_refresh: str,
    access_life: timedelta,
    grace: timedelta,
) -> Renewed:
    """Use up a refresh token and put its successor in place."""
    query = text(
        "SELECT outcome, scope, level, seconds FROM auth.renew_session(:refresh_token, :client_id, :key, "
        ":new_access, :new_refresh, :access_life, :grace)"
    )
    values = {
        "refresh_token": refresh_token,
        "client_id": client_id,
        "key": key,
        "new_access": new_access,
        "new_refresh": new_refresh,
        "access_life": access_life,
        "grace": grace,
    }
    return Renewed(**(await session.execute(query, values)).one()._asdict())


async def revoke_token(session: Session, *, token: str, client_id: str, key: bytes | None) -> None:
    """End the session of a client's token that is bound to a key, or to none."""
    query = text("SELECT auth.revoke_token(:token, :client_id, :key)")
    await session.execute(query, {"token": token, "client_id": client_id, "key": key})


async def use_token(session: Session, *, issuer: str, token_id: str, useful_until: datetime) -> bool:
    """Mark a provider's token as used; false when it was used before."""
    query = text("SELECT auth.use_token(:issuer, :token_id, :useful_until)")
    values = {"issuer": issuer, "token_id": token_id, "useful_until": useful_until}
    return await session.scalar(query, values) is True


async def end_provider_sessions(
    session: Session, *, issuer: str, subject: str | None, provider_session: str | None
) -> int:
    """End the sessions that a provider names; returns how many."""
    query = text("SELECT auth.end_provider_sessions(:issuer, :subject, :provider_session)")
    values = {"issuer": issuer, "subject": subject, "provider_session": provider_session}
    return int(await session.scalar(query, values) or 0)


async def sign_in(
    session: Session, *, token: str, proof_key: bytes | None, language: str
) -> tuple[UUID | None, UUID | None]:
    """Bind a transaction to a person's session and return who that is: a citizen or a practitioner.

    In which language they read what they agree to is kept beside it, for the consent ledger.
    """
    query = text(
        "SELECT citizen_id, practitioner_id, set_config('desk.language', :language, true) "
        "FROM auth.sign_in(:token, :proof_key)"
    )
    row = (await session.execute(query, {"token": token, "proof_key": proof_key, "language": language})).one()
    return row.citizen_id, row.practitioner_id


async def begin_deed(session: Session, *, key: str, digest: bytes) -> dict[str, Any] | None:
    """Begin a deed; what it told when it was done before, nothing when it is new."""
    query = text("SELECT auth.begin_deed(:key, :digest)")
    found: dict[str, Any] | None = await session.scalar(query, {"key": key, "digest": digest})
    return found


async def end_deed(session: Session, *, key: str, told: str) -> None:
    """Keep what a deed told, as JSON."""
    await session.execute(text("SELECT auth.end_deed(:key, CAST(:told AS jsonb))"), {"key": key, "told": told})


async def forget_deed(session: Session, *, key: str) -> None:
    """Let a key be used again: its deed was refused."""
    await session.execute(text("SELECT auth.forget_deed(:key)"), {"key": key})


async def deed_is_done(session: Session, *, key: str) -> bool:
    """Tell whether a deed was done with this key."""
    return bool(await session.scalar(text("SELECT auth.deed_is_done(:key)"), {"key": key}))


async def me(session: Session) -> UUID | None:
    """Return the citizen as whom this transaction signed in."""
    found: UUID | None = await session.scalar(text("SELECT auth.me()"))
    return found
