"""Does a mutation: its step and its payload in one transaction of `desk`, once for each idempotency key."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from graphql import VariableValues
from strawberry.types.arguments import StrawberryArgument, convert_argument

from app.compiler.parameters import Asked, Deed
from app.compiler.places import DEFINITION
from app.compiler.plan import Part
from app.compiler.run import run_statement
from app.core.context import Context, run_step
from app.core.db import Session, driver_of
from app.core.deeds import Remembered, Told
from app.core.errors import Invalid, Text
from app.gateway.schema import schema
from app.identity import sql

LONGEST_KEY = 255
KEY = "idempotencyKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a mutation did: its payload's text, and what it told."""

    payload: bytes
    told: Mapping[str, Any]


async def do(part: Part, *, variables: VariableValues, values: Mapping[str, object], context: Context) -> Done:
    """Do one field of Mutation.

    :raises AppError: what its step refuses; nothing was done then but what a remembered refusal leaves
    :raises Conflict: when its idempotency key was used for something else
    """
    if part.deed is None:
        raise LookupError(part.field)
    asked = part.deed.read(variables)
    deed = _Deed(deed=part.deed, name=part.field, asked=asked, given=_as_input(part.deed, asked), context=context)
    if deed.deed.action.first is not None:
        deed.first = await run_step(context.house.desk_steps, deed.begin)
        between = deed.deed.action.between
        if between is not None and deed.first is not None:
            deed.first = await between(asked=deed.given, first=deed.first, context=context)
    done = await run_step(context.house.desk_steps, partial(_do, part=part, deed=deed, values=values))
    if isinstance(done, Remembered):
        raise done.error
    return done


async def _do(session: Session, *, part: Part, deed: "_Deed", values: Mapping[str, object]) -> Done | Remembered:
    citizen_id, practitioner_id = await deed.sign_in(session)
    found = await deed.told(session)
    if isinstance(found, Remembered):
        return found
    inputs = {
        "in_viewer": citizen_id,
        "in_practitioner": practitioner_id,
        "in_told": orjson.dumps(found).decode(),
    }
    payload = await run_statement(await driver_of(session), part.statement(), {**values, **inputs})
    if payload is None:
        raise LookupError(part.field)
    return Done(payload=payload, told=found)


@dataclass(slots=True, kw_only=True)
class _Deed:
    """One deed of one request."""

    deed: Deed
    name: str
    asked: Asked
    given: Any
    context: Context
    first: Any = None

    async def sign_in(self, session: Session) -> tuple[UUID | None, UUID | None]:
        """Bind the transaction to the caller's session."""
        return await sql.sign_in(
            session,
            token=self.context.token or "",
            proof_key=self.context.proof_key,
            language=self.context.language,
        )

    async def begin(self, session: Session) -> Any:
        """Run what is committed first, unless the deed was done before."""
        await self.sign_in(session)
        key = _key(self.asked)
        if self.deed.action.first is None or (key is not None and await sql.deed_is_done(session, key=key)):
            return None
        return await self.deed.action.first(session, asked=self.given, context=self.context)

    def digest(self) -> bytes:
        """Return what a key stands for: the mutation and its arguments, in whichever order they were written.

        Keyed: a PIN or a personal id among them would be found from an open digest by trying all of them.
        """
        arguments = {known: value for known, value in orjson.loads(self.asked.text).items() if known != KEY}
        written = orjson.dumps([self.name, arguments], option=orjson.OPT_SORT_KEYS)
        return self.context.house.vault.derivation.material("deed", written.decode())

    async def told(self, session: Session) -> dict[str, Any] | Remembered:
        """Return what the deed tells: it is done now, or was done before by the same key."""
        action, key = self.deed.action, _key(self.asked)
        if key is not None:
            earlier = await sql.begin_deed(session, key=key, digest=self.digest())
            if earlier is not None:
                secret = (
                    {} if action.again is None else action.again(asked=self.given, kept=earlier, context=self.context)
                )
                return {**earlier, **secret}
        first = {} if action.first is None else {"first": self.first}
        outcome: Told | Remembered = await action.does(session, asked=self.given, context=self.context, **first)
        if isinstance(outcome, Remembered):
            if key is not None:
                await sql.forget_deed(session, key=key)
            return outcome
        if key is not None:
            await sql.end_deed(session, key=key, told=orjson.dumps(dict(outcome.kept)).decode())
        return {**outcome.kept, **outcome.secret}


def _as_input(deed: Deed, asked: Asked) -> Any:
    """Return the input as an instance of its Strawberry class; nothing for a mutation without one."""
    if deed.argument is None:
        return None
    declared: StrawberryArgument = deed.argument.extensions[DEFINITION]
    known = schema()
    return convert_argument(asked.values, declared.type, known.schema_converter.scalar_registry, known.config)


def _key(asked: Asked) -> str | None:
    key = asked.values.get(KEY)
    if key is None:
        return None
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        raise Invalid(
            Text(
                f"idempotencyKey phải dài từ 1 đến {LONGEST_KEY} ký tự.",
                f"idempotencyKey must have 1 to {LONGEST_KEY} characters.",
            )
        )
    return key
