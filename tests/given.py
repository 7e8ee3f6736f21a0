"""Values that the published schema accepts, for tests that ask everything there is."""

from datetime import date
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    type_from_ast,
)

from app.gateway import plans
from app.gateway.trusted import TrustedOperation
from tests.people import now

SCHEMA = plans.index().schema


def value_of(kind: GraphQLInputType, target: UUID) -> Any:
    """Return a value that a field accepts; of an id, the target's."""
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        return [value_of(inner.of_type, target)]
    if isinstance(inner, GraphQLEnumType):
        return next(iter(inner.values))
    if isinstance(inner, GraphQLInputObjectType):
        return {
            key: value_of(field.type, target)
            for key, field in inner.fields.items()
            if isinstance(field.type, GraphQLNonNull) or get_named_type(field.type).name == "ID"
        }
    simple = {"ID": str(target), "Int": 1, "Boolean": False, "Date": str(date(2026, 11, 22)), "String": "01901"}
    simple["DateTime"] = now().isoformat()
    return simple[inner.name]


def is_live(known: TrustedOperation) -> bool:
    """Tell a subscription, which a socket takes and a POST does not: tests/gateway/test_sockets.py."""
    return _operation(known).operation is OperationType.SUBSCRIPTION


def _operation(known: TrustedOperation) -> OperationDefinitionNode:
    (found,) = (one for one in known.document.definitions if isinstance(one, OperationDefinitionNode))
    return found


def variables_of(known: TrustedOperation, target: UUID) -> dict[str, Any]:
    """Return the variables without which an operation is not asked at all."""
    found = {}
    for one in _operation(known).variable_definitions or ():
        kind = type_from_ast(SCHEMA, one.type)
        if isinstance(kind, GraphQLNonNull) and one.default_value is None:
            found[one.variable.name.value] = value_of(kind, target)
    return found
