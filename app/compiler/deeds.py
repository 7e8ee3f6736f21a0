"""How a room says what a mutation does and where its payload rests.

Example (a room's `graph.py`)::

    REVOKE = rests.action(does=revoking.revoke)    # async (session, *, asked: RevokeGrantInput, context) -> Told

    @strawberry.type(description="What revokeGrant answers.")
    class RevokeGrantPayload:
        grant: Grant = rests.one(
            GrantRow, on=lambda _payload, grant, inputs: grant.id == inputs.told("grant_id", "uuid"), description="…"
        )
        closed_sessions: int = rests.told("closed_sessions", description="…")

    @strawberry.type
    class SharingMutation:
        @rests.mutation(REVOKE, description="…")
        def revoke_grant(self, input: RevokeGrantInput) -> RevokeGrantPayload: ...

The step runs in one transaction of `desk` as the signed-in person and returns `Told`; what the payload selects is one
statement in that transaction. A payload's book (`rests.opened`) is read after the commit, by the one who may open it.
With an `idempotencyKey` in its input a mutation is done once (auth.begin_deed): a repeat tells what is kept, and
`again` derives what is secret.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from app.compiler.fields import acting_field, resting_field
from app.compiler.places import Acting, Action, Opened, Root, Told

Stub = Callable[..., Any]


def action(
    *,
    does: Callable[..., Awaitable[Any]],
    first: Callable[..., Awaitable[Any]] | None = None,
    between: Callable[..., Awaitable[Any]] | None = None,
    again: Callable[..., Mapping[str, Any]] | None = None,
) -> Action:
    """Say what a mutation does: `does(session, *, asked, context)` returns Told or Remembered.

    `first(session, *, asked, context)` is a transaction of its own before that, for what must stay whatever happens
    (a try is counted before it is judged); what it returns reaches `does` as `first`. A repeat runs neither.
    `between(*, asked, first, context)` works after that without a connection (a slow hash), and returns what takes the
    place of `first`.
    `again(*, asked, kept, context)` returns the secret values of a deed that was done before.
    """
    return Action(does=does, first=first, between=between, again=again)


def mutation(
    does: Action, *, description: str, name: str | None = None, deprecation_reason: str | None = None
) -> Callable[[Stub], Any]:
    """Rest a field of Mutation on what it does; its one argument is `input`, or it has none."""
    place = Acting(action=does)
    return acting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def told(key: str, *, description: str, name: str | None = None, deprecation_reason: str | None = None) -> Any:
    """Rest on a value that the step told, a JSON value of the field's type: moments as RFC 3339, enums by name."""
    return resting_field(Told(key=key), description=description, name=name, deprecation_reason=deprecation_reason)


def opened(
    at: Root,
    *,
    arguments: Mapping[str, str],
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Rest on a book that is opened after the commit; the opener's `arguments` are what the step told by these keys."""
    place = Opened(root=at, arguments=arguments)
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)
