"""Reads a plain document; what is wrong with it is told with its place."""

import re
from collections.abc import Sequence

from graphql import (
    SKIP,
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VisitorAction,
    parse,
    specified_rules,
    validate,
)
from graphql.utilities.validate_input_value import validate_input_literal

from app.core.errors import Invalid, Text, TooComplex
from app.gateway.limits import MOST_TOKENS

_PYTHONS_NULL = re.compile(r"(?<= not to be )None\.\Z")


def parsed(query: str) -> DocumentNode:
    """Return the document.

    :raises Invalid: naming the place of what is no GraphQL
    :raises TooComplex: when it is too long, or nests too deeply
    """
    try:
        return parse(query, max_tokens=MOST_TOKENS)
    except GraphQLError as error:
        if error.message.endswith("Parsing aborted."):
            text = Text("Truy vấn quá dài hoặc lồng quá sâu.", "The document is too long or too deep.")
            raise TooComplex(text) from error
        raise _fault(error) from error


def check_valid(document: DocumentNode, *, schema: GraphQLSchema) -> None:
    """Check a document that is within the limits against the schema.

    :raises Invalid: naming the place of its first fault
    """
    errors = validate(schema, document, RULES, max_errors=1, hide_suggestions=True)
    if errors:
        raise _fault(errors[0])


def _fault(error: GraphQLError) -> Invalid:
    """Return what the parser or the validator says, with the places in the document; both know nothing but it."""
    places = [(at.line, at.column) for at in error.locations or ()]
    vi, en = "", ""
    if places:
        vi, en = ", dòng {}, cột {}".format(*places[0]), ", line {}, column {}".format(*places[0])
    message = _PYTHONS_NULL.sub("null.", error.message)
    text = Text(f"Truy vấn không hợp lệ{vi}: {message}", f"Not a valid document{en}: {message}")
    return Invalid(text, places=places)


class _ValuesRule(ValuesOfCorrectTypeRule):
    """As the reference: what a scalar says of a literal is told of its place too."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        def told(error: GraphQLError, path: list[str | int]) -> None:
            self.report_error(error if error.locations else GraphQLError(error.message, _inner(node, path)))

        if input_type is not None:
            validate_input_literal(node, input_type, told, hide_suggestions=True)
        return SKIP


def _inner(node: ValueNode, path: Sequence[str | int]) -> ValueNode:
    for step in path:
        if isinstance(node, ListValueNode) and isinstance(step, int):
            node = node.values[step]
        elif isinstance(node, ObjectValueNode):
            node = next(one.value for one in node.fields if one.name.value == step)
    return node


RULES = [_ValuesRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules]
