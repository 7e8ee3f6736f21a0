"""The names that others build against, `promised.graphql`, exist: fields, arguments, defaults, inputs, values."""

from pathlib import Path

import pytest
from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)
from graphql.pyutils import Undefined

from app.gateway import plans

PROMISED = parse((Path(__file__).parent / "promised.graphql").read_text(encoding="utf-8"), no_location=True)
SCHEMA = plans.index().schema
TYPES = SCHEMA.type_map
OBJECTS = [one for one in PROMISED.definitions if isinstance(one, ObjectTypeDefinitionNode)]
INPUTS = [one for one in PROMISED.definitions if isinstance(one, InputObjectTypeDefinitionNode)]
FIELDS = [
    pytest.param(one.name.value, field, id=f"{one.name.value}.{field.name.value}")
    for one in OBJECTS
    for field in one.fields or () or ()
]
INPUT_FIELDS = [
    pytest.param(one.name.value, field, id=f"{one.name.value}.{field.name.value}")
    for one in INPUTS
    for field in one.fields or () or ()
]


def is_answered_as(promised: TypeNode, given: GraphQLType) -> bool:
    """Tell whether an answer of the given type is one of the promised: never null is a promise kept, too."""
    if not isinstance(promised, NonNullTypeNode) and isinstance(given, GraphQLNonNull):
        given = given.of_type
    return str(given) == print_ast(promised)


def default_of(given: GraphQLArgument | GraphQLInputField) -> object:
    return None if given.default_value is Undefined else given.default_value


def check_asked_as(promised: InputValueDefinitionNode, given: GraphQLArgument | GraphQLInputField) -> None:
    assert str(given.type) == print_ast(promised.type)
    wanted = None if promised.default_value is None else value_from_ast_untyped(promised.default_value)
    assert default_of(given) == wanted


@pytest.mark.parametrize(("kind", "promised"), FIELDS)
def test_a_field_is_there_as_promised(kind: str, promised: FieldDefinitionNode) -> None:
    found = TYPES[kind]
    assert isinstance(found, GraphQLObjectType)
    field: GraphQLField = found.fields[promised.name.value]
    assert is_answered_as(promised.type, field.type), f"{field.type} is not {print_ast(promised.type)}"
    for argument in promised.arguments or ():
        check_asked_as(argument, field.args[argument.name.value])
    asked_for = {argument.name.value for argument in promised.arguments or ()}
    needed = {name for name, one in field.args.items() if isinstance(one.type, GraphQLNonNull)}
    assert needed <= asked_for, "a client of the contract does not send them"


@pytest.mark.parametrize(("kind", "promised"), INPUT_FIELDS)
def test_an_input_is_taken_as_promised(kind: str, promised: InputValueDefinitionNode) -> None:
    found = TYPES[kind]
    assert isinstance(found, GraphQLInputObjectType)
    check_asked_as(promised, found.fields[promised.name.value])


@pytest.mark.parametrize("promised", INPUTS, ids=lambda one: one.name.value)
def test_an_input_needs_nothing_more(promised: InputObjectTypeDefinitionNode) -> None:
    found = TYPES[promised.name.value]
    assert isinstance(found, GraphQLInputObjectType)
    needed = {
        name
        for name, one in found.fields.items()
        if isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined
    }
    assert needed <= {field.name.value for field in promised.fields or ()}


def test_values_are_there_as_promised() -> None:
    for one in PROMISED.definitions:
        if isinstance(one, EnumTypeDefinitionNode):
            found = TYPES[one.name.value]
            assert isinstance(found, GraphQLEnumType)
            assert list(found.values) == [value.name.value for value in one.values or ()]


def test_a_viewer_is_a_citizen_or_a_practitioner() -> None:
    viewer = TYPES["Viewer"]
    assert isinstance(viewer, GraphQLInterfaceType)
    assert {kind.name for kind in SCHEMA.get_possible_types(viewer)} == {"Citizen", "Practitioner"}


def test_every_mutation_but_step_up_takes_an_idempotency_key_in_an_input_of_its_own() -> None:
    mutations = TYPES["Mutation"]
    assert isinstance(mutations, GraphQLObjectType)
    for name, field in mutations.fields.items():
        (argument,) = field.args.values()
        assert isinstance(argument.type, GraphQLNonNull)
        taken = argument.type.of_type
        own = "EmergencyAccess" if name == "openEmergencyAccess" else f"{name[0].upper()}{name[1:]}"
        assert (taken.name, str(field.type)) == (f"{own}Input", f"{own}Payload!")
        assert ("idempotencyKey" in taken.fields) == (name != "stepUp")


@pytest.mark.parametrize("name", sorted(name for name in TYPES if name.endswith("Connection")))
def test_a_connection_goes_forward_and_its_page_size_may_be_null(name: str) -> None:
    places = [
        (kind.name, field_name, field)
        for kind in TYPES.values()
        if isinstance(kind, GraphQLObjectType)
        for field_name, field in kind.fields.items()
        if str(field.type).rstrip("!") == name
    ]
    assert places
    for _kind, _name, field in places:
        assert str(field.args["first"].type) == "Int"
        assert str(field.args["after"].type) == "String"
        assert not {"last", "before"} & set(field.args)
