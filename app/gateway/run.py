"""Runs a compiled operation: PostgreSQL decides who sees what and makes the JSON text; this only joins it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from graphql import VariableValues

from app.compiler.plan import Part
from app.compiler.run import Unseal, assemble, books_of, run_statement, with_books
from app.core.context import Context
from app.core.crypto import MASKED, Place, Vault, masked
from app.core.db import connection_errors
from app.core.errors import AppError, NotFound, Unauthenticated, Unavailable
from app.core.logs import log
from app.core.settings import RELEASE
from app.gateway import deployment
from app.gateway.doing import do
from app.gateway.naming import edition_of, with_names
from app.gateway.openers import OPENERS, Opener
from app.gateway.plans import DESK, Operation, trusted
from app.gateway.problems import graphql_error, internal_graphql_error
from app.identity.proving import spend_proof

BEFORE_ANYTHING = (Unauthenticated, Unavailable)
"""Refusals of a whole request: nothing of it was done."""
MINUTE, FIVE_MINUTES, DAY = 60, 300, 86_400
VIETNAM_SECONDS = 7 * 3600  # a day turns at midnight there
TELL_THE_TIME = (
    (MINUTE, ("now()", "clock_timestamp()", "reuse_advice(")),  # care begins, and results age, on whole minutes
    (FIVE_MINUTES, ("image_link(",)),
    (DAY, ("today()", "due_doses(", "coverage_gaps(", "is_running(")),
)
"""What in a statement makes an answer change though its book does not, and after how many seconds at the earliest."""
_SIGN_IN = "SELECT citizen_id, practitioner_id FROM auth.sign_in($1, $2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The body, and the ETag of an answer that came from one book alone. No body: it is unchanged."""

    body: bytes | None
    etag: str | None
    has_errors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One run: the operation, its bound values and who asks."""

    operation: Operation
    bound: tuple[object, ...]
    values: Mapping[str, object]
    context: Context

    async def answer(
        self, part: Part, variables: VariableValues, *, known: str | None
    ) -> tuple[str | None, bytes | None]:
        """Answer a root field; with its book's version for this viewer where it is read from one."""
        if part.opens in OPENERS:
            return await self.book(part, self.asked(part), known=known)
        if part.deed is not None:
            return None, await self.deed(part, variables)
        return None, await self.desk(part) if part.opens == DESK else _typename(self.operation)

    async def desk(self, part: Part) -> bytes:
        """Answer a root field as `desk`, under the session's own policies.

        :raises NotFound: when this viewer has no such thing: what a citizen has, a practitioner has not
        """
        body = await self._desk(part)
        self._has_spent()
        if body is None:
            raise NotFound
        return body

    async def _desk(self, part: Part) -> bytes | None:
        house, token, proof_key = self.context.house, self.context.token, self._proof()
        with connection_errors():
            if self.operation.is_deployed:
                call = _call(self.operation.key, part.key)
                body: bytes | None = await house.desk.fetchval(
                    call, token, proof_key, self.context.language, *self.bound
                )
                return body
            async with house.desk.acquire() as connection, connection.transaction():
                signed_in = await connection.fetchrow(_SIGN_IN, token, proof_key)
                inputs = {"in_viewer": signed_in["citizen_id"], "in_practitioner": signed_in["practitioner_id"]}
                return await run_statement(connection, part.statement(), {**self.values, **inputs})

    async def book(
        self, part: Part, asked: tuple[object, ...], *, known: str | None
    ) -> tuple[str | None, bytes | None]:
        """Answer a root field from a book: its version for this viewer, and nothing when that is `known`."""
        opener = OPENERS[str(part.opens)]
        with connection_errors():
            if opener.announce is not None:
                numbers = ", ".join(f"${n}" for n in range(1, len(asked) + 6))
                line = f"SELECT {opener.announce}({numbers})"
                told = (self.operation.name, self.digest(), self.context.request_id)
                announced = await self.context.house.api.fetchval(
                    line, self.context.token, self._proof(), *asked, *told
                )
                self._has_spent()
                asked = (*asked, announced)
            answered = await self._opened(opener, part, asked, known=known)
            self._has_spent()
            return answered

    async def _opened(
        self, opener: Opener, part: Part, asked: tuple[object, ...], *, known: str | None
    ) -> tuple[str | None, bytes | None]:
        house, token, proof_key = self.context.house, self.context.token, self._proof()
        if self.operation.is_deployed or house.demo is None:
            call = _call(self.operation.key, part.key)
            etag, body = await house.api.fetchval(
                call, token, proof_key, *asked, known, self.context.language, *self.bound
            )
            return etag, body
        async with house.demo.acquire() as connection, connection.transaction():
            numbers = ", ".join(f"${n}" for n in range(1, len(asked) + 4))
            opening = f"SELECT citizen_id, sections, etag FROM {opener.demo_function}({numbers})"  # noqa: S608 - ours
            opened = await connection.fetchrow(opening, token, proof_key, *asked, self.operation.name)
            if known is not None and opened["etag"] == known:
                return known, None
            statement = part.statement()
            inputs = {"in_citizen": opened["citizen_id"], "in_sections": opened["sections"]}
            return opened["etag"], await run_statement(connection, statement, {**self.values, **inputs})

    def _proof(self) -> bytes | None:
        """Return what proves the key; a statement that ends well marks it as used."""
        return None if self.context.proof is None else self.context.proof.to_send

    def _has_spent(self) -> None:
        if self.context.proof is not None:
            self.context.proof.is_spent = True

    def digest(self) -> bytes:
        """Return a digest of what the operation is asked with; the visitors' book keeps it, not the values."""
        return hashlib.sha256(orjson.dumps(self.values, default=str, option=orjson.OPT_SORT_KEYS)).digest()

    def asked(self, part: Part) -> tuple[object, ...]:
        """Return what a root field asks its opener."""
        return OPENERS[str(part.opens)].asked(part, self.values)

    async def deed(self, part: Part, variables: VariableValues) -> bytes:
        """Do a mutation and answer its payload, with its book."""
        await spend_proof(self.context)
        done = await do(part, variables=variables, values=self.values, context=self.context)
        books: dict[int, bytes | None] = {}
        for number in books_of(done.payload):
            nested = self.operation.plan.nested[number]
            asked = OPENERS[str(nested.opens)].told(nested, done.told)
            _, books[number] = await self.book(nested, asked, known=None)
        return with_books(done.payload, books)


async def run(
    operation: Operation, *, variables: Mapping[str, object], context: Context, if_none_match: str | None
) -> Answer:
    """Run an operation and return its answer.

    :raises Unauthenticated: when there is no live session
    :raises Invalid: when a variable or argument is wrong
    :raises Unavailable: when the database does not answer
    """
    if context.token is None:
        raise Unauthenticated
    coerced = operation.plan.coerce(variables)
    bound = operation.plan.bound(coerced)
    values = {**operation.plan.named(bound), "in_language": context.language}
    asked = _Asked(operation=operation, bound=bound, values=values, context=context)
    shown = [part for part in operation.plan.parts if part.is_shown(values)]
    rest = _apart_from_the_book(asked, shown, variables=variables)
    known = _known_version(if_none_match, rest=rest)
    bodies: dict[str, bytes | None] = {}
    errors: list[dict[str, Any]] = []
    version = None
    for part in shown:
        try:
            version, bodies[part.key] = await asked.answer(part, coerced, known=known)
        except AppError as error:
            if not _is_told_in_its_place(error, part=part):
                raise
            errors.append(graphql_error(error, language=context.language, path=[part.key], places=part.places))
            bodies[part.key] = None
            if part.deed is not None:
                break
        else:
            if version is not None and version == known:
                return Answer(body=None, etag=f'"{version}.{rest}"')
    body, holes = await _joined(asked, bodies, edition=edition_of(version))
    errors += holes
    if errors:
        told = b'{"data":' + body + b',"errors":' + orjson.dumps(errors) + b"}"
        return Answer(body=told, etag=None, has_errors=True)
    if rest is None:
        return Answer(body=b'{"data":' + body + b"}", etag=None)
    return _of_one_book(body, version=version, rest=rest, known=known, opener=OPENERS[str(shown[0].opens)])


def _of_one_book(body: bytes, *, version: str | None, rest: str, known: str | None, opener: Opener) -> Answer:
    """Return an answer with its ETag: for a representative of what they see, for the book's would tell of the rest."""
    if version is None and opener.knows:
        version = hashlib.sha256(body).hexdigest()[:24]
    etag = None if version is None else f'"{version}.{rest}"'
    is_known = version is not None and version == known
    return Answer(body=None if is_known else b'{"data":' + body + b"}", etag=etag)


def _is_told_in_its_place(error: AppError, *, part: Part) -> bool:
    """Tell whether a refusal is of one root field alone: what is not there, and what a deed was refused for."""
    return isinstance(error, NotFound) or (part.deed is not None and not isinstance(error, BEFORE_ANYTHING))


async def _joined(
    asked: _Asked, bodies: Mapping[str, bytes | None], *, edition: str
) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the answer's data with names and unsealed texts in it, and an error for each hole."""
    operation, context = asked.operation, asked.context
    named = {key: body and await with_names(body, edition=edition, context=context) for key, body in bodies.items()}
    outcome = assemble(operation.plan, named, unseal=_unsealer(context.house.vault))
    errors = []
    for hole in outcome.holes:
        log.error("hole", operation=operation.name, field=[step for step in hole if isinstance(step, str)])
        errors.append(internal_graphql_error(language=context.language, request_id=context.request_id, path=hole))
    return outcome.data, errors


def _typename(operation: Operation) -> bytes:
    root = operation.plan.schema.get_root_type(operation.plan.operation.operation)
    return b"null" if root is None else orjson.dumps(root.name)


def known_calls(document_id: str) -> tuple[str, ...]:
    """Return the calls of a trusted operation's functions; each is made once."""
    operation = trusted(document_id)
    return () if operation is None else tuple(_call(document_id, part.key) for part in operation.deployed_parts)


@lru_cache(maxsize=512)
def _call(document_id: str, key: str) -> str:
    """Return the call of a deployed root field, or of a payload's book."""
    operation = trusted(document_id)
    part = next(part for part in operation.deployed_parts if part.key == key) if operation else None
    if operation is None or part is None:
        raise LookupError(document_id)
    function = deployment.function_of(operation, part)
    opener = OPENERS.get(str(part.opens))
    own = 3 if opener is None else 4 + len(opener.parameters)
    numbers = ", ".join(f"${n}" for n in range(1, own + len(operation.plan.parameters) + 1))
    return f"SELECT {function.schema}.{function.name}({numbers})"


def _apart_from_the_book(asked: _Asked, shown: Sequence[Part], *, variables: Mapping[str, object]) -> str | None:
    """Return a digest of what an answer from one book alone depends on besides it: what is asked, the day or minute."""
    if len(shown) != 1 or shown[0].opens not in OPENERS:
        return None
    operation, context = asked.operation, asked.context
    step = shown[0].clock_step(_clock_step)
    turn = (context.now.timestamp() + VIETNAM_SECONDS) // step if step else 0
    known = (operation.key, operation.name, context.language, context.house.settings.commit, turn)
    return _hashed(known, variables) if variables else _without_variables(*known)


@lru_cache(maxsize=256)
def _without_variables(*known: object) -> str:
    return _hashed(known, {})


def _hashed(known: tuple[object, ...], variables: Mapping[str, object]) -> str:
    told = orjson.dumps([*known, RELEASE, variables], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()[:24]


def _clock_step(sql: str) -> int:
    """Return for how many seconds an answer that compares with the clock stands; 0: as long as its book."""
    return next((seconds for seconds, words in TELL_THE_TIME if any(told in sql for told in words)), 0)


def _known_version(if_none_match: str | None, *, rest: str | None) -> str | None:
    """Return the book's version of the client's ETag, if that is of this very question."""
    if rest is None:
        return None
    for tag in (if_none_match or "").split(","):
        version, _, question = tag.strip().removeprefix("W/").strip('"').rpartition(".")
        if version and question == rest:
            return version
    return None


def _unsealer(vault: Vault) -> Unseal:
    """Return what opens `table|column|row id|sealed` in base64; of a table that is MASKED only the end is told.

    A value that does not open is a defect: something was moved or changed in the database.
    """

    def unseal(text: str) -> str:
        table, column, row_id, sealed = base64.b64decode(text).split(b"|", 3)
        place = Place(table=table.decode().removeprefix(MASKED), column=column.decode(), row_id=UUID(row_id.decode()))
        value = vault.sealer.open(sealed, place=place).decode()
        return masked(value) if table.startswith(MASKED.encode()) else value

    return unseal
