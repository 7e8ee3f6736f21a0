"""Whatever the bytes are: reading never raises, never invents, and gives the same for the same."""

import json
import string
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unicodedata import normalize

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.clock import VIETNAM_TIME
from app.core.errors import Invalid
from app.ingestion.qd4750 import Message, plausibility, read_message, values
from app.ingestion.verdict import Effect, problem_body
from app.ingestion.xml import check_outside
from tests.ingestion.messages import (
    LINES,
    VISIT,
    Fields,
    changed,
    encoded,
    envelope,
    file_xml,
    message,
    table_xml,
    visit_xml,
)
from tests.ingestion.plain import plain
from tests.ingestion.qd4750.readings import only_visit

LIMITS = settings(max_examples=150, deadline=None)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = message()
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
)
OURS = frozenset(string.printable + "ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵĂÂĐÊÔƠƯ…–“”")
"""What remarks are written in: a few of these letters may stand in one by chance."""
FIELD = st.sampled_from([(table, field) for table, fields in LINES.items() for field in fields])


def judge(read: Message) -> None:
    """Check what holds of every reading."""
    rejected = any(problem.effect is Effect.REJECTS for problem in read.problems)
    assert read.visits or rejected
    for visit in read.visits:
        reasons = [problem for problem in visit.problems if problem.effect is Effect.REJECTS]
        if visit.arrival is None:
            assert reasons or rejected or visit.tables_kept == ("XML0",)
        else:
            assert not reasons
            assert not rejected
            assert visit.arrival.facility_code == read.facility_code
            assert visit.arrival.source_id == visit.source_id
            plausibility(visit.arrival, NOW)
    for problem in (*read.problems, *(problem for visit in read.visits for problem in visit.problems)):
        json.dumps(problem_body(problem))
        assert problem.vi
        assert problem.en
    json.dumps(plain(read))


@LIMITS
@given(st.binary(max_size=400))
@example(b"<GIAMDINHHS>" + b"<a>" * 255)
def test_arbitrary_bytes(body: bytes) -> None:
    judge(read_message(body))
    with suppress(Invalid):
        check_outside(body)


@LIMITS
@given(st.binary(max_size=400), st.sampled_from([f"XML{number}" for number in range(16)]))
def test_arbitrary_bytes_in_a_table(body: bytes, table: str) -> None:
    judge(read_message(envelope(f"<HOSO>{file_xml(table, encoded(body))}</HOSO>")))


@LIMITS
@given(st.data())
def test_mutated_messages(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from([GOOD, _inline()])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        match data.draw(st.sampled_from(["set", "cut", "copy", "drop"])):
            case "set":
                body[at] = data.draw(st.integers(0, 255))
            case "cut":
                del body[at : at + data.draw(st.integers(1, 200))]
            case "copy":
                body[at:at] = body[at : at + data.draw(st.integers(1, 200))]
            case _:
                del body[at:]
        if not body:
            break

    judge(read_message(bytes(body)))


def _inline() -> bytes:
    files = "".join(file_xml(table, table_xml(table, [fields])) for table, fields in LINES.items())
    return envelope(f"<HOSO>{files}</HOSO>")


@LIMITS
@given(FIELD, TEXT)
def test_one_field_of_any_text(place: tuple[str, str], text: str) -> None:
    table, field = place
    read = read_message(changed(table, **{field: text}))

    judge(read)
    if len(text.strip()) > 2 and set(text) - OURS:
        told = [problem for problem in read.visits[0].problems if problem.field == field]
        assert not any(text in problem_text for problem in told for problem_text in (problem.vi, problem.en))


@LIMITS
@given(
    st.dictionaries(
        FIELD,
        TEXT | st.none() | st.sampled_from(["0", "1", "202611200815", "20261120", "1.5", ";"]),
        max_size=12,
    )
)
def test_many_fields_of_any_text(changes: dict[tuple[str, str], str | None]) -> None:
    tables: dict[str, Sequence[Fields]] = {
        table: [{**fields, **{field: text for (place, field), text in changes.items() if place == table}}]
        for table, fields in LINES.items()
    }

    judge(read_message(message(**tables)))


@LIMITS
@given(TEXT)
def test_b154_names_read_the_same_in_every_normal_form(name: str) -> None:
    readings = {
        form: only_visit(changed("XML1", HO_TEN=normalize(form, name), LY_DO_VV=normalize(form, name)))
        for form in ("NFC", "NFD")
    }

    assert readings["NFC"] == readings["NFD"]
    if (arrival := readings["NFC"].arrival) is not None:
        assert arrival.person.full_name == normalize("NFC", normalize("NFC", name).strip())


@LIMITS
@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001  # made local below
def test_moments_come_back(local: datetime) -> None:
    local = local.replace(second=0, microsecond=0, tzinfo=VIETNAM_TIME)
    read = values.moment(local.strftime("%Y%m%d%H%M"))

    assert read == local
    assert read is not None
    assert read.utcoffset() == timedelta()


@LIMITS
@given(st.dates(min_value=datetime(1000, 1, 1, tzinfo=UTC).date()))
def test_days_come_back(on: object) -> None:
    assert values.day(f"{on:%Y%m%d}") == on
    birth = values.birth(f"{on:%Y%m%d}0000")
    assert birth is not None
    assert birth.on == on


@LIMITS
@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_numbers_come_back(number: Decimal) -> None:
    read = values.number(f"{number:f}", whole_digits=10, decimals=3)

    assert isinstance(read, values.Number)
    assert (read.value, read.rounded) == (number, False)


@LIMITS
@given(st.text(max_size=20))
def test_values_never_raise(text: str) -> None:
    values.moment(text)
    values.day(text)
    values.birth(text)
    values.number(text, whole_digits=3, decimals=2)
    values.result_number(text)
    values.several(text)
    values.parallel(text)
    identifier = values.identifier(text)
    assert identifier is None or identifier[0].isascii()


@LIMITS
@given(st.lists(st.sampled_from(["A", "B", "C"]), max_size=5))
def test_each_visit_is_read_by_itself(ids: list[str]) -> None:
    body = envelope(*(visit_xml({"XML1": [{**VISIT, "MA_LK": identifier}]}) for identifier in ids))
    read = read_message(body)

    judge(read)
    assert [visit.source_id for visit in read.visits] == ids
    assert [visit.arrival is not None for visit in read.visits] == [ids.count(one) == 1 for one in ids]
