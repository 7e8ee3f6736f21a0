"""The writer refuses what the annex does not have."""

from dataclasses import replace

import pytest

from app.demo.writing import FieldTooLong, ended_at, tables
from tests.demo.year import visits


def test_a_value_that_is_too_long_is_refused_by_the_name_of_its_field() -> None:
    visit = replace(visits()[0], main_code="J18.9999")

    with pytest.raises(FieldTooLong) as refused:
        list(tables(visit))

    assert refused.value.args == ("MA_BENH_CHINH",)


def test_a_table_without_lines_is_not_sent() -> None:
    visit = replace(visits()[0], drugs=(), services=(), revisit_on=None, referred_to=None)

    assert [name for name, _ in tables(visit)] == ["XML1"]


def test_markup_in_a_text_is_escaped() -> None:
    visit = replace(visits()[0], reason="Sốt > 39 °C & <ho>", drugs=(), services=(), revisit_on=None)

    assert "<LY_DO_VV>Sốt &gt; 39 °C &amp; &lt;ho&gt;</LY_DO_VV>" in dict(tables(visit))["XML1"]


def test_only_medicine_by_appointment_outlasts_the_visit() -> None:
    for visit in visits():
        assert (ended_at(visit) != visit.closed_at) == (visit.kind == "05")
