"""Compiled operations: the trusted ones for as long as the process lives, others through a bounded cache."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, validate

from app.compiler.compile import compile_operation
from app.compiler.index import Index
from app.compiler.plan import Part, Plan
from app.compiler.refusal import NotCompilable
from app.core.errors import Invalid, Text
from app.gateway.openers import OPENERS
from app.gateway.schema import INPUTS, schema
from app.gateway.trusted import BadOperation, TrustedOperation, trusted_operations

BOOK, DESK = "book", "desk"
"""Openers: one's own or a dependant's book; none, but the session's own policies. Others: app.gateway.openers."""


@cache
def index() -> Index:
    """Return the schema's declarations, checked once."""
    return Index(schema(), inputs=INPUTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A compiled operation, ready to run."""

    plan: Plan
    name: str
    key: str  # the document's id: what an ETag and a cache know it by
    is_deployed: bool

    def parts(self, opens: str) -> tuple[Part, ...]:
        """Return the root fields of one opener, in the order of the response."""
        return tuple(part for part in self.plan.parts if part.opens == opens)

    @property
    def deployed_parts(self) -> tuple[Part, ...]:
        """Return what becomes a function each: root fields that are opened, and the books of payloads."""
        return tuple(part for part in (*self.plan.parts, *self.plan.nested) if part.opens is not None)


@lru_cache(maxsize=256)
def trusted(document_id: str) -> Operation | None:
    """Return a trusted operation by its id, or nothing: a subscription is none."""
    known = trusted_operations().get(document_id)
    if known is None or known.is_subscription:
        return None
    operation = compile_trusted(known)
    return replace(operation, plan=_written(operation.plan, with_body_sql=True))


def compile_trusted(known: TrustedOperation) -> Operation:
    """Compile a trusted operation; a list that holds one which cannot be compiled fails the build.

    :raises BadOperation: naming the file and the reason
    """
    try:
        document = known.document
        problems = [error.message for error in validate(index().schema, document, max_errors=1)]
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if [node.name and node.name.value for node in operations] != [known.name]:
            problems.append(f"it must hold one operation, {known.name}")
        if problems:
            raise BadOperation(f"graphql/operations/{known.file}: {problems[0]}")
        plan = one_book(compile_operation(index(), document))
    except (NotCompilable, Invalid, GraphQLError) as error:
        reason = error.reason if isinstance(error, NotCompilable) else str(error)
        raise BadOperation(f"graphql/operations/{known.file} cannot be compiled: {reason}") from error
    return Operation(plan=plan, name=known.name, key=known.id, is_deployed=True)


def compile_served(now: datetime) -> tuple[Operation, ...]:
    """Compile the list, but for documents that are not served any more: the schema may have left them behind.

    :raises BadOperation: naming the first file that cannot be served
    """
    listed = trusted_operations().values()
    return tuple(compile_trusted(known) for known in listed if not known.is_over(now) and not known.is_subscription)


def compile_plain(document: DocumentNode, *, operation_name: str | None, key: str) -> Operation:
    """Compile a document of demo mode that is valid and within limits.

    :raises Invalid: when it asks for more than one book
    :raises NotCompilable: when a part of it is resolved in Python
    """
    plan = one_book(compile_operation(index(), document, operation_name))
    return Operation(plan=_written(plan), name=operation_name or "plain", key=key, is_deployed=False)


def _written(plan: Plan, *, with_body_sql: bool = False) -> Plan:
    parts, nested = (
        tuple(part.written(with_body_sql=with_body_sql) for part in some) for some in (plan.parts, plan.nested)
    )
    return replace(plan, parts=parts, nested=nested)


def one_book(plan: Plan) -> Plan:
    """Return the plan.

    :raises Invalid: when it opens more than one book
    """
    if sum(part.opens in OPENERS for part in (*plan.parts, *plan.nested)) > 1:
        raise Invalid(
            Text("Mỗi truy vấn chỉ mở được một sổ: hãy tách thành hai truy vấn.", "One book per operation: send two.")
        )
    return plan
