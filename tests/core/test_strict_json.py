"""One meaning only, and no quotation of the document in the error."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.strict_json import NotStrictJson, read_object

ONE_OBJECT = st.dictionaries(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("a"), inner),
        max_leaves=5,
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'"a"',
        b"{",
        b"{} {}",
        b"{}\x00",
        b"\xef\xbb\xbf{}",
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": [{"b": 1, "b": 2}]}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": [[-1e999]]}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a": ["\\udc00"]}',
        b'{"\\ud800": 1}',
        b'{"a": {"b": ["\\u0000"]}}',
        b'{"a": "\n"}',
        b'{"a": 01}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"a":' + b"[" * 63 + b'{"b":"\\u0000"}' + b"]" * 63 + b"}",
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775809}',
    ],
)
def test_b48_refused(document: bytes) -> None:
    with pytest.raises(NotStrictJson) as refusal:
        read_object(document)

    assert str(refusal.value) == ""
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_pair_of_surrogates_is_one_character() -> None:
    assert read_object(b'{"a": "\\ud83d\\ude00", "\\u1ed3": 1}') == {"a": "😀", "ồ": 1}


@pytest.mark.parametrize("member", ["[" * 70, "{" * 70, "a\\\\b", "\x7f", "\u2028"])
def test_what_looks_deep_or_escaped_in_a_text_is_a_text(member: str) -> None:
    assert read_object(f'{{"{member}": "{member}"}}'.encode()) == {
        member.replace("\\\\", "\\"): member.replace("\\\\", "\\")
    }


def test_b156_without_any_escape() -> None:
    with pytest.raises(NotStrictJson):
        read_object(b'{"a":' * 65 + b"1" + b"}" * 65)

    assert read_object(b'{"a":' * 64 + b"1" + b"}" * 64).keys() == {"a"}


def test_b156_depth_and_b157_numbers_up_to_the_limit() -> None:
    deep = b"[" * 62 + b'{"b": 1}' + b"]" * 62

    assert read_object(b'{"a":' + deep + b"}").keys() == {"a"}
    assert read_object(b'{"a": [9223372036854775807, -9223372036854775808]}') == {"a": [2**63 - 1, -(2**63)]}


@settings(max_examples=100, deadline=None, database=None)
@given(document=ONE_OBJECT)
def test_reads_what_is_written(document: dict[str, object]) -> None:
    assert read_object(json.dumps(document).encode()) == document
