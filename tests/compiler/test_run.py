import base64

import pytest
from graphql import parse

from app.compiler import Plan, assemble, compile_operation
from tests.compiler.toy import INDEX


def plan_of(query: str) -> Plan:
    return compile_operation(INDEX, parse(query))


PLAIN = plan_of("{ a: book { version } b: facilities { nodes { code } } }")
SEALED = plan_of("{ book { nationalId phone } }")


def sealed(text: str, up: int) -> bytes:
    return b'\x02%d"%s"' % (up, base64.b64encode(text.encode()))


def test_parts_stand_in_the_order_of_the_response() -> None:
    assert assemble(PLAIN, {"b": b"[]", "a": b"{}"}).data == b'{"a":{},"b":[]}'


def test_a_part_that_was_not_asked_for_is_not_there() -> None:
    assert assemble(PLAIN, {"b": None}).data == b'{"b":null}'


def test_a_hole_is_carried_as_many_levels_as_it_says() -> None:
    text = b'{"x":[{"y":{"z":\x013}},{"y":{"z":1}}],"w":"\\u0001"}'

    outcome = assemble(PLAIN, {"a": text, "b": b"null"})

    assert outcome.data == b'{"a":{"x":null,"w":"\\u0001"},"b":null}'
    assert outcome.holes == (("a", "x", 0, "y", "z"),)


def test_a_hole_may_null_everything() -> None:
    assert assemble(PLAIN, {"a": b'{"x":\x012}', "b": b"{}"}).data == b"null"


def test_every_hole_that_no_other_swallowed_is_told() -> None:
    outcome = assemble(PLAIN, {"a": b'{"x":\x010,"y":[1,\x010]}', "b": b"{}"})

    assert outcome.data == b'{"a":{"x":null,"y":[1,null]},"b":{}}'
    assert outcome.holes == (("a", "x"), ("a", "y", 1))


def test_data_that_looks_like_the_mark_of_a_hole_stays() -> None:
    outcome = assemble(PLAIN, {"a": b'{"x":\x010,"hole":{"hole":7,"hole_":8}}', "b": b"{}"})

    assert outcome.data == b'{"a":{"x":null,"hole":{"hole":7,"hole_":8}},"b":{}}'


def test_sealed_values_are_opened_and_escaped() -> None:
    text = b'{"nationalId":' + sealed("0123", 0) + b',"phone":' + sealed("x", 2) + b"}"

    def unseal(found: str) -> str:
        return base64.b64decode(found).decode() + '"\n'

    assert (
        assemble(SEALED, {"book": text}, unseal=unseal).data
        == b'{"book":{"nationalId":"0123\\"\\n","phone":"x\\"\\n"}}'
    )


def test_a_sealed_value_that_does_not_open_is_null_or_a_hole() -> None:
    outcome = assemble(SEALED, {"book": b'{"n":' + sealed("1", 0) + b"}"}, unseal=lambda _: None)
    assert (outcome.data, outcome.holes) == (b'{"book":{"n":null}}', ())

    outcome = assemble(SEALED, {"book": b'{"n":' + sealed("1", 1) + b"}"}, unseal=lambda _: None)
    assert (outcome.data, outcome.holes) == (b'{"book":null}', (("book", "n"),))


def test_a_sealed_value_without_a_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to open it with"):
        assemble(SEALED, {"book": b'{"n":' + sealed("1", 0) + b"}"})


def test_a_plan_without_sealed_paths_never_asks_for_the_key() -> None:
    def never(_text: str) -> str:
        raise AssertionError

    assert assemble(PLAIN, {"a": b"{}", "b": b"{}"}, unseal=never).data == b'{"a":{},"b":{}}'
