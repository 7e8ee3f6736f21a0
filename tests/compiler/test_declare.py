import pytest
from strawberry import Schema

from app.compiler import Index, InputSpec
from app.compiler.declare import RestsInSqlError
from app.compiler.inputs import Inputs
from app.compiler.rows import NO_ROW
from tests.compiler.toy import INDEX, INPUTS, SCHEMA, Citizen, Dose, Measurement, Practitioner, Query


def test_a_field_that_rests_in_sql_has_no_resolver() -> None:
    result = SCHEMA.execute_sync("{ book { version } clock }")

    assert result.data == {"book": None, "clock": "12:00"}
    assert result.errors is not None
    assert isinstance(result.errors[0].original_error, RestsInSqlError)


def test_arguments_keep_their_published_names_and_defaults() -> None:
    sdl = SCHEMA.as_str()

    assert "first: Int = 3" in sdl
    assert "from: Date = null" in sdl
    assert "facilityCode: String = null" in sdl


def test_a_connection_is_named_by_its_node_and_counts_only_where_it_says_so() -> None:
    counted, plain = INDEX.object_type("VisitConnection"), INDEX.object_type("EntryConnection")

    assert list(counted.fields) == ["edges", "nodes", "pageInfo", "totalCount"]
    assert list(plain.fields) == ["edges", "nodes", "pageInfo"]
    assert INDEX.object_type("EntryEdge").description == "An entry of a page."


def test_an_input_that_nobody_declared_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no input is named weather"):
        _ = Inputs({spec.name: spec for spec in INPUTS}).weather


def test_nothing_can_be_asked_of_the_row_above_a_root() -> None:
    with pytest.raises(AttributeError, match="above a root has no citizen_id"):
        _ = NO_ROW.citizen_id


def test_the_same_declarations_serve_two_schemas() -> None:
    types = [Citizen, Dose, Measurement, Practitioner]
    again = Index(Schema(Query, types=types), inputs=[*INPUTS, InputSpec(name="x", pg_type="text")])

    assert "x" in again.inputs
