"""The visit, the person and the cards as they are read from XML1."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.verdict import Effect
from app.records.arrivals import BirthPrecision, DiagnosisArrival, DiagnosisRole, IdentifierKind, Sex
from tests.ingestion.messages import changed
from tests.ingestion.qd4750.readings import only_arrival, only_visit, told


def test_times_of_a_visit() -> None:
    arrival = only_arrival(changed("XML1", NGAY_VAO_NOI_TRU="202611200900", NGAY_RA="202611202359", NGAY_TTOAN=""))

    assert arrival.started_at == datetime(2026, 11, 20, 1, 15, tzinfo=UTC)
    assert arrival.admitted_at == datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert arrival.ended_at == datetime(2026, 11, 20, 16, 59, tzinfo=UTC)
    assert arrival.costs.paid_at is None


@pytest.mark.parametrize("field", ["NGAY_VAO_NOI_TRU", "NGAY_TTOAN"])
def test_an_optional_time_must_be_well_formed(field: str) -> None:
    visit = only_visit(changed("XML1", **{field: "202602300900"}))

    assert visit.arrival is None
    assert told(visit, Effect.REJECTS) == [(ProblemCode.MOMENT_MALFORMED, "XML1", 1, field)]


@pytest.mark.parametrize(
    ("came", "admitted", "expected"),
    [("Đau bụng", "Viêm ruột thừa", "Đau bụng; Viêm ruột thừa"), ("Sốt", "Sốt", "Sốt"), ("", "Sốt cao", "Sốt cao")],
)
def test_why_somebody_was_admitted_is_shown_with_why_they_came(came: str, admitted: str, expected: str) -> None:
    assert only_arrival(changed("XML1", LY_DO_VV=came, LY_DO_VNT=admitted)).reason == expected


def test_diagnoses_stand_main_first() -> None:
    arrival = only_arrival(changed("XML1", MA_BENH_KT=" E11.9;J02.9; I10;;E11.9", MA_BENH_YHCT="U59.081; U50"))

    assert arrival.diagnoses == tuple(
        DiagnosisArrival(role=role, code=code)
        for role, code in [
            (DiagnosisRole.MAIN, "J02.9"),
            (DiagnosisRole.ACCOMPANYING, "E11.9"),
            (DiagnosisRole.ACCOMPANYING, "I10"),
            (DiagnosisRole.TRADITIONAL, "U59.081"),
            (DiagnosisRole.TRADITIONAL, "U50"),
        ]
    )


@pytest.mark.parametrize("code", ["J02.9", "I10", "U07.1", "E10.2†", "G01*", "M1090", "Z38.0", "A01.00"])
def test_disease_codes_are_kept_as_they_are(code: str) -> None:
    assert only_arrival(changed("XML1", MA_BENH_CHINH=code)).diagnoses[0].code == code


@pytest.mark.parametrize("code", ["j02.9", "J2", "J02.9;I10", "J02,9", "Viêm", "J02..9"])
def test_a_main_disease_is_one_code(code: str) -> None:
    visit = only_visit(changed("XML1", MA_BENH_CHINH=code))

    assert (ProblemCode.CODE_MALFORMED, "XML1", 1, "MA_BENH_CHINH") in told(visit, Effect.REJECTS)


def test_an_accompanying_disease_that_is_no_code_is_not_dropped_silently() -> None:
    visit = only_visit(changed("XML1", MA_BENH_KT="I10; tăng huyết áp"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.CODE_MALFORMED, "XML1", 1, "MA_BENH_KT")]


@pytest.mark.parametrize(("text", "weight"), [("52.5", "52.5"), ("3", "3"), ("0", None), ("0.00", None), ("", None)])
def test_weight(text: str, weight: str | None) -> None:
    assert only_arrival(changed("XML1", CAN_NANG=text)).weight_kg == (weight and Decimal(weight))


@pytest.mark.parametrize("text", ["52,5", "52.5kg", "3150.0"])
def test_a_weight_that_is_not_in_kilograms(text: str) -> None:
    visit = only_visit(changed("XML1", CAN_NANG=text))

    assert [field for _, _, _, field in told(visit, Effect.REJECTS)] == ["CAN_NANG"]


@pytest.mark.parametrize(
    ("text", "days", "is_told"),
    [
        ("20261203;20261217", [date(2026, 12, 3), date(2026, 12, 17)], False),
        ("202612030800", [date(2026, 12, 3)], False),
        ("20261203, 20261217", [date(2026, 12, 3)], True),
        ("20261203x", [date(2026, 12, 3)], True),
        ("mai", [], True),
    ],
)
def test_days_of_reexamination_are_read_or_told(text: str, days: list[date], is_told: bool) -> None:  # noqa: FBT001
    visit = only_visit(changed("XML1", NGAY_TAI_KHAM=text))

    assert visit.arrival is not None
    assert list(visit.arrival.revisit_on) == days
    assert told(visit, Effect.WARNS) == [(ProblemCode.DAY_MALFORMED, "XML1", 1, "NGAY_TAI_KHAM")] * is_told


def test_money_is_rounded_to_two_decimals_and_told() -> None:
    visit = only_visit(changed("XML1", T_BNCCT="30140.105", SO_NGAY_DTRI="2"))

    assert visit.arrival is not None
    assert visit.arrival.costs.copayment == Decimal("30140.11")
    assert visit.arrival.treatment_days == 2
    assert told(visit, Effect.WARNS) == [(ProblemCode.NUMBER_ROUNDED, "XML1", 1, "T_BNCCT")]


def test_unknown_results_of_treatment_are_kept_and_told() -> None:
    visit = only_visit(changed("XML1", KET_QUA_DTRI="9", MA_LOAI_RV="6"))

    assert visit.arrival is not None
    assert (visit.arrival.outcome_code, visit.arrival.discharge_code) == ("9", "6")
    assert [field for _, _, _, field in told(visit, Effect.WARNS)] == ["KET_QUA_DTRI", "MA_LOAI_RV"]


@pytest.mark.parametrize(("text", "sex"), [("1", Sex.MALE), ("2", Sex.FEMALE), ("3", Sex.UNDETERMINED)])
def test_sex(text: str, sex: Sex) -> None:
    assert only_arrival(changed("XML1", GIOI_TINH=text)).person.sex is sex


def test_a_year_of_birth() -> None:
    person = only_arrival(changed("XML1", NGAY_SINH="195800000000")).person

    assert (person.birth_on, person.birth_precision) == (date(1958, 1, 1), BirthPrecision.YEAR)


def test_a_month_of_birth_is_a_year_and_told() -> None:
    visit = only_visit(changed("XML1", NGAY_SINH="195805000000"))

    assert visit.arrival is not None
    assert told(visit, Effect.WARNS) == [(ProblemCode.BIRTH_PARTIAL, "XML1", 1, "NGAY_SINH")]


@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [
        ("001 185 012345", "001185012345", IdentifierKind.PERSONAL_ID),
        ("012345678", "012345678", IdentifierKind.OLD_ID),
        ("C1234567", "C1234567", IdentifierKind.PASSPORT),
        ("VNEID-0042", "VNEID-0042", IdentifierKind.OTHER),
    ],
)
def test_identifiers(text: str, number: str, kind: IdentifierKind) -> None:
    person = only_arrival(changed("XML1", SO_CCCD=text)).person

    assert (person.identifier, person.identifier_kind) == (number, kind)


def test_a_malformed_identifier_rejects() -> None:
    visit = only_visit(changed("XML1", SO_CCCD="０７９０５８００４３２１"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.IDENTIFIER_MALFORMED, "XML1", 1, "SO_CCCD")]


@pytest.mark.parametrize("text", ["1185012345", "79085012345", "1185012345.0", "0011850123456"])
@pytest.mark.parametrize(
    ("others", "effect", "kinds"),
    [
        ({"MA_QUOCTICH": "000"}, Effect.WARNS, {None}),  # the card says whose it is
        ({"MA_QUOCTICH": "000", "MA_THE_BHYT": ""}, Effect.QUARANTINES, {None}),
        ({"MA_QUOCTICH": "", "MA_THE_BHYT": "", "NGAY_SINH": "202611200700"}, Effect.WARNS, {None}),  # a newborn
        (
            {"MA_QUOCTICH": "129", "MA_THE_BHYT": ""},
            Effect.WARNS,
            {IdentifierKind.OTHER},
        ),  # the passport of a foreigner
    ],
)
def test_a_number_that_a_spreadsheet_spoiled_makes_no_book(
    text: str, others: dict[str, str], effect: Effect, kinds: set[IdentifierKind | None]
) -> None:
    beside = {} if others.get("MA_THE_BHYT") is None else {"MA_DKBD": "", "GT_THE_TU": "", "GT_THE_DEN": ""}
    visit = only_visit(changed("XML1", SO_CCCD=text, **others, **beside))

    assert (ProblemCode.IDENTIFIER_UNUSUAL, "XML1", 1, "SO_CCCD") in told(visit, effect)
    assert visit.arrival is not None
    assert {visit.arrival.person.identifier_kind} == kinds


def test_b161_a_filler_never_becomes_an_identity() -> None:
    visit = only_visit(changed("XML1", SO_CCCD="000000000000"))

    assert visit.arrival is not None
    assert (visit.arrival.person.identifier, visit.arrival.person.identifier_kind) == (None, None)
    assert told(visit, Effect.QUARANTINES) == [(ProblemCode.IDENTIFIER_PLACEHOLDER, "XML1", 1, "SO_CCCD")]


def test_nobody_without_any_identifier_but_newborns() -> None:
    nobody = {"SO_CCCD": "", "MA_THE_BHYT": "", "MA_DKBD": "", "GT_THE_TU": "", "GT_THE_DEN": ""}
    adult = only_visit(changed("XML1", **nobody))
    assert adult.arrival is not None
    assert told(adult, Effect.QUARANTINES) == [(ProblemCode.IDENTIFIER_NONE, "XML1", 1, "SO_CCCD")]

    for birth, problems in (
        ("202611200700", []),
        ("202610230800", []),
        ("202610220800", [ProblemCode.IDENTIFIER_NONE]),
        ("202600000000", [ProblemCode.IDENTIFIER_NONE]),
    ):
        child = only_visit(changed("XML1", **nobody, NGAY_SINH=birth))
        assert [code for code, *_ in told(child, Effect.QUARANTINES)] == problems, birth
    with_card = only_visit(changed("XML1", SO_CCCD=""))
    assert told(with_card, Effect.QUARANTINES) == []


def test_a_newborn_needs_the_time_of_birth() -> None:
    for birth, problems in (("202611190000", [ProblemCode.NEWBORN_TIME_MISSING]), ("202611190715", [])):
        visit = only_visit(changed("XML1", NGAY_SINH=birth))
        assert [code for code, *_ in told(visit, Effect.WARNS)] == problems


def test_several_cards_stand_beside_their_dates() -> None:
    cards = only_arrival(
        changed(
            "XML1",
            MA_THE_BHYT="GD4010112345678; 0112345678",
            MA_DKBD="01901;01000",
            GT_THE_TU="20260101;20260701",
            GT_THE_DEN="20260630;20261231",
        )
    ).person.insurance_cards

    assert [(card.number, card.registered_facility_code, card.valid_from, card.valid_until) for card in cards] == [
        ("GD4010112345678", "01901", date(2026, 1, 1), date(2026, 6, 30)),
        ("0112345678", "01000", date(2026, 7, 1), date(2026, 12, 31)),
    ]


def test_lists_of_cards_that_differ_are_paired_in_order_and_told() -> None:
    visit = only_visit(
        changed("XML1", MA_THE_BHYT="GD4010112345678;0112345678", GT_THE_DEN="20261231;20271231;20281231")
    )

    assert visit.arrival is not None
    first, second = visit.arrival.person.insurance_cards
    assert (first.registered_facility_code, second.registered_facility_code) == ("01901", None)
    assert second.valid_until == date(2027, 12, 31)
    assert told(visit, Effect.WARNS) == [
        (ProblemCode.CARD_LISTS_DIFFER, "XML1", 1, field) for field in ("MA_DKBD", "GT_THE_TU", "GT_THE_DEN")
    ]


def test_an_empty_place_in_the_list_of_cards_keeps_the_order() -> None:
    (card,) = only_arrival(changed("XML1", MA_THE_BHYT=";0112345678", MA_DKBD="01901;01000")).person.insurance_cards

    assert (card.number, card.registered_facility_code) == ("0112345678", "01000")


def test_a_list_beside_cards_may_end_with_an_empty_place() -> None:
    for cards, count in (("GD4010112345678", 1), ("GD4010112345678;0112345678", 2)):
        for facilities in ("01901;", "01901; "):
            visit = only_visit(
                changed("XML1", MA_THE_BHYT=cards, MA_DKBD=facilities, GT_THE_TU="20260101;", GT_THE_DEN="20261231;")
            )

            assert visit.problems == ()
            assert visit.arrival is not None
            found = [card.registered_facility_code for card in visit.arrival.person.insurance_cards]
            assert found == ["01901", None][:count]


def test_a_malformed_card_is_passed_over_and_told() -> None:
    visit = only_visit(
        changed(
            "XML1",
            MA_THE_BHYT="GD401011234567;0112345678",
            MA_DKBD=";1000",
            GT_THE_TU=";2026",
            GT_THE_DEN=";",
        )
    )

    assert visit.arrival is not None
    (card,) = visit.arrival.person.insurance_cards
    assert (card.number, card.registered_facility_code, card.valid_from, card.valid_until) == (
        "0112345678",
        None,
        None,
        None,
    )
    assert [code for code, *_ in told(visit, Effect.WARNS)] == [
        ProblemCode.CARD_MALFORMED,
        ProblemCode.CODE_MALFORMED,
        ProblemCode.DAY_MALFORMED,
    ]


@pytest.mark.parametrize(
    "name",
    [
        "NguyÔn V¨n §øc",  # TCVN 3
        "Lª ThÞ Hång",
        "NguyeÃn Vaên A",  # VNI
        "Nguyeãn Thò Hoàng",
        "Nguy?n Th? H?ng",
        "Nguy\ufffdn Th\ufffd H\ufffdng",
    ],
)
def test_a_name_whose_letters_were_lost_names_nobody(name: str) -> None:
    visit = only_visit(changed("XML1", HO_TEN=name))
    assert (ProblemCode.NAME_GARBLED, "XML1", 1, "HO_TEN") in told(visit, Effect.QUARANTINES)


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Hồng Ánh",
        "Y Ƀih Ñing",
        "K´Brěoh",
        "H’Hen Niê",
        "Con bà Trần Thị Ba (2)",
        "José Müller-Peña Jr.",
        "Åsa Sørensen",
    ],
)
def test_a_name_of_any_people_is_a_name(name: str) -> None:
    assert only_arrival(changed("XML1", HO_TEN=name)).person.full_name == name


@pytest.mark.parametrize("card", ["gd4010112345678", "GD 4 01 01 12345678", "GD-4-01-0112345678", "0112 345 678"])
def test_a_card_is_read_as_it_is_printed_and_typed(card: str) -> None:
    (found,) = only_arrival(changed("XML1", MA_THE_BHYT=card, SO_CCCD="")).person.insurance_cards
    assert found.number in {"GD4010112345678", "0112345678"}
