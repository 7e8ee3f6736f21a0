"""Conditions gathered over visits and statements; allergies, and statements that none is known."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.records.clinical import (
    AllergyCategory,
    AllergyState,
    Certainty,
    CodingArrival,
    ConditionState,
    ReactionArrival,
)
from tests.clinics import ALLERGY, DISEASE, ICD10, SNOMED
from tests.people import Stand
from tests.records.books import AWAY, HOME, Book

CONDITIONS = (
    "conditions { code codeSystem name state firstRecordedAt lastRecordedAt visitCount isMainSomewhere "
    "statements { name state certainty facility { code } } }"
)
ALLERGIES = (
    "allergies { substance code codeSystem categories certainty reactions { description } facility { code } } "
    "noKnownAllergies { statement categories isContradicted facility { code } }"
)


@pytest.fixture
def book(stand: Stand, http: httpx.Client) -> Book:
    return Book(stand, http)


def conditions(book: Book, *, language: str = "vi") -> dict[str, Any]:
    return {one["code"]: one for one in book.read(CONDITIONS, language=language)["conditions"]}


def test_a_statement_joins_the_visits_that_name_the_same_code(book: Book) -> None:
    alone = conditions(book)["I10"]
    assert (alone["visitCount"], alone["statements"], alone["state"]) == (1, [], None)
    since = datetime(2019, 2, 3, tzinfo=UTC)
    book.home.tells(replace(DISEASE, state=ConditionState.REMISSION))
    book.away.tells(replace(DISEASE, recorded_at=since, name="THA", state=ConditionState.ACTIVE))
    both = conditions(book)["I10"]
    assert (both["visitCount"], both["state"], both["codeSystem"]) == (1, "REMISSION", "ICD10")
    assert both["firstRecordedAt"] == "2019-02-03T00:00:00Z"
    assert both["lastRecordedAt"] == alone["lastRecordedAt"]
    assert [(one["name"], one["facility"]["code"]) for one in both["statements"]] == [
        ("Tăng huyết áp", HOME),
        ("THA", AWAY),
    ]
    assert conditions(book, language="en")["I10"]["name"] != both["name"]


def test_icd10_is_preferred_and_words_alone_are_kept(book: Book) -> None:
    codings = (
        CodingArrival(system=SNOMED, code="44054006", display="Diabetes"),
        CodingArrival(system=ICD10, code="E11.9", display=None),
    )
    book.home.tells(
        replace(DISEASE, source_id="a", coding=codings, name="ĐTĐ"),
        replace(DISEASE, source_id="b", coding=codings[:1], name="Đái tháo đường típ 2"),
        replace(DISEASE, source_id="c", coding=(), name="Hay  chóng mặt"),
        replace(DISEASE, source_id="d", coding=(), name="hay chóng MẶT"),
    )
    found = conditions(book)
    assert found["E11.9"]["codeSystem"] == "ICD10"
    assert (found["44054006"]["codeSystem"], found["44054006"]["name"]) == ("SNOMED_CT", "Đái tháo đường típ 2")
    (words,) = (one for one in found.values() if one["codeSystem"] is None)
    assert len(words["statements"]) == 2


def test_what_is_refuted_is_no_condition(book: Book) -> None:
    other = (CodingArrival(system=ICD10, code="A15", display=None),)
    book.home.tells(replace(DISEASE, coding=other, certainty=Certainty.REFUTED))
    assert "A15" not in conditions(book)
    book.home.tells(replace(DISEASE, coding=other, certainty=Certainty.CONFIRMED), made="20261121")
    assert conditions(book)["A15"]["statements"][0]["certainty"] == "CONFIRMED"


NONE_KNOWN = replace(ALLERGY, source_id="none", is_none_known=True, coding=(), substance="Không có dị ứng đã biết")


def test_none_known_stands_apart_from_nothing_recorded_and_from_allergies(book: Book) -> None:
    assert book.read(ALLERGIES)["allergies"] == book.read(ALLERGIES)["noKnownAllergies"] == []
    book.home.tells(NONE_KNOWN)
    shown = book.read(ALLERGIES)
    assert shown["allergies"] == []
    assert [(one["statement"], one["isContradicted"]) for one in shown["noKnownAllergies"]] == [
        ("Không có dị ứng đã biết", False)
    ]
    hives = ReactionArrival(description="Nổi mề đay", reacted_at=None, severity=None)
    book.away.tells(replace(ALLERGY, reactions=(hives,), categories=(AllergyCategory.MEDICATION,)))
    shown = book.read(ALLERGIES)
    assert [one["isContradicted"] for one in shown["noKnownAllergies"]] == [True]
    assert shown["allergies"] == [
        {
            "substance": "Penicilin",
            "code": "764146007",
            "codeSystem": "SNOMED_CT",
            "categories": ["MEDICATION"],
            "certainty": None,
            "reactions": [{"description": "Nổi mề đay"}],
            "facility": {"code": AWAY},
        }
    ]


@pytest.mark.parametrize(
    ("denied", "allergy", "contradicted"),
    [
        ((), {}, True),
        ((), {"state": AllergyState.RESOLVED}, False),
        ((), {"certainty": Certainty.REFUTED}, False),
        ((), {"state": AllergyState.INACTIVE}, True),
        ((AllergyCategory.FOOD,), {"categories": (AllergyCategory.MEDICATION,)}, False),
        ((AllergyCategory.FOOD,), {"categories": (AllergyCategory.FOOD,)}, True),
        ((AllergyCategory.FOOD,), {"categories": ()}, True),
    ],
)
def test_which_allergy_contradicts_a_statement(
    book: Book, denied: tuple[AllergyCategory, ...], allergy: dict[str, Any], contradicted: object
) -> None:
    book.home.tells(replace(NONE_KNOWN, categories=denied), replace(ALLERGY, **allergy))
    assert [one["isContradicted"] for one in book.read(ALLERGIES)["noKnownAllergies"]] == [contradicted]


def test_a_resend_changes_nothing_and_an_error_is_taken_back(book: Book) -> None:
    arrivals = (DISEASE, ALLERGY, NONE_KNOWN)
    assert book.home.tells(*arrivals) == ["ADDED"] * 3
    version = book.read("")["version"]
    assert book.home.tells(*arrivals, made="20261121") == ["UNCHANGED"] * 3
    assert book.read("")["version"] == version
    assert book.home.tells(replace(ALLERGY, is_withdrawn=True), made="20261122") == ["WITHDRAWN"]
    assert book.home.tells(ALLERGY) == ["OUTDATED"]
    assert book.read(ALLERGIES)["allergies"] == []
    kinds = [one["kind"] for one in book.read("withdrawals { kind }")["withdrawals"]]
    assert kinds == ["ALLERGY"]
