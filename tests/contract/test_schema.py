"""What an app developer reads: the SDL says everything, and the trusted operations still mean what they meant."""

import json
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
    validate,
)

from app.compiler.plan import Plan
from app.core.errors import ErrorCode
from app.gateway import plans
from app.gateway.plans import BOOK
from app.gateway.schema import PublishedErrorCode, schema
from app.gateway.trusted import FOLDER, TrustedOperation, document_id, trusted_operations
from app.sharing import enums, scope

CORE = plans.index().schema
TYPES = [kind for name, kind in CORE.type_map.items() if not name.startswith("__")]
SPECIFIED = {"String", "Int", "Float", "Boolean", "ID"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_everything_has_a_description(kind: object) -> None:
    name = getattr(kind, "name", "")
    if name in SPECIFIED:
        return
    bare = [] if getattr(kind, "description", None) else [name]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for field_name, field in kind.fields.items():
            bare += [] if field.description else [f"{name}.{field_name}"]
            bare += [f"{name}.{field_name}({arg})" for arg, one in field.args.items() if not one.description]
    elif isinstance(kind, GraphQLInputObjectType):
        bare += [f"{name}.{field_name}" for field_name, field in kind.fields.items() if not field.description]
    elif isinstance(kind, GraphQLEnumType):
        bare += [f"{name}.{value}" for value, one in kind.values.items() if not one.description]

    assert not bare


def test_the_committed_sdl_is_the_codes() -> None:
    assert (FOLDER / "schema.graphql").read_text(encoding="utf-8") == schema().as_str() + "\n"


def test_nothing_that_was_released_is_broken() -> None:
    """`released.graphql` is the SDL of the last release; a change that breaks it needs a new major version."""
    released = build_schema((FOLDER / "released.graphql").read_text(encoding="utf-8"))

    assert find_breaking_changes(released, CORE) == []


def test_the_error_codes_are_the_closed_list() -> None:
    assert [code.name for code in PublishedErrorCode] == [code.value for code in ErrorCode]


def test_the_published_sections_are_those_of_the_decision() -> None:
    assert [section.name for section in enums.BookSection] == [section.value for section in scope.BookSection]


def test_every_operation_file_is_in_the_list_once() -> None:
    files = {path.relative_to(FOLDER / "operations").as_posix() for path in (FOLDER / "operations").rglob("*.graphql")}
    listed = [entry["file"] for entry in json.loads((FOLDER / "trusted.json").read_text(encoding="utf-8"))]

    assert sorted(listed) == sorted(files)


@pytest.mark.parametrize("known", trusted_operations().values(), ids=lambda known: known.file)
def test_a_trusted_operation_is_valid_compiles_and_is_hot(known: TrustedOperation) -> None:
    assert document_id(known.text) == known.id
    assert validate(CORE, known.document) == []
    if known.is_subscription:
        assert plans.trusted(known.id) is None  # listened to, never answered once
        return
    operation = plans.compile_trusted(known)
    assert isinstance(operation.plan, Plan)
    assert len(operation.parts(BOOK)) <= 1
    assert known.name == Path(known.file).stem
