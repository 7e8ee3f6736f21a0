"""Names of public lists: marks in the statement, which nothing that rests in it can forge."""

import pytest
from graphql import parse

from app.compiler import names
from app.gateway import plans


def body_of(query: str) -> str:
    """Return the statement of a document's only root field."""
    (part,) = plans.compile_plain(parse(query), operation_name=None, key=query).plan.parts
    return part.statement().sql


def test_every_second_piece_is_a_mark_that_tells_list_and_code() -> None:
    mark = b'2;icd10;"a\\u0004;\\"b"'
    pieces = names.split(b'{"n":\x04' + mark + b"\x04}")
    assert pieces == [b'{"n":', mark, b"}"]
    assert names.asked(mark) == ("icd10", 'a\x04;"b')
    assert names.put_in(pieces, {mark: b'"x"'}) == b'{"n":"x"}'
    with pytest.raises(KeyError):
        names.put_in(pieces, {})


@pytest.mark.parametrize(("mark", "missing"), [(b'0;icd10;"a"', b"null"), (b'3;facility;"a"', b"\x013")])
def test_a_missing_name_is_null_or_carried_to_where_it_may_be(mark: bytes, missing: bytes) -> None:
    assert names.said(mark, None) == missing
    assert names.said(mark, '"Tên"') == '"Tên"'.encode()


@pytest.mark.parametrize("asked", ["name", "name code", "code n: name __typename", "... on Facility { name }"])
def test_a_facility_of_which_the_name_is_asked_is_not_looked_up(asked: str) -> None:
    sql = body_of("{ healthBook { visits { nodes { facility { ASKED } } } } }".replace("ASKED", asked))
    assert "directory.facility" not in sql
    assert r"\x043;facility;" in sql or r"\x044;facility;" in sql


@pytest.mark.parametrize("asked", ["code", "level", "name level", "__typename"])
def test_a_facility_of_which_more_or_less_is_asked_is_looked_up(asked: str) -> None:
    """Also where its name is not asked: that it is missing must not go unseen."""
    sql = body_of("{ healthBook { visits { nodes { facility { ASKED } } } } }".replace("ASKED", asked))
    assert "directory.facility" in sql
    assert r"\x04" not in sql


def test_a_facility_that_may_be_missing_is_looked_up() -> None:
    assert "directory.facility" in body_of("{ healthBook { insurance { registeredFacility { name } } } }")


def test_a_name_inside_another_expression_is_looked_up() -> None:
    sql = body_of("{ healthBook { conditions { name } visits { nodes { kind } } } }")
    assert "entry_1.system = 'icd10'" in sql
    assert r"\x040;visit-kind;" in sql
    assert "'visit-kind'" not in sql
