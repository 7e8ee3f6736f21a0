"""Laboratory values are plausible, consistent within a report, and written as each hospital writes them."""

from datetime import date
from decimal import Decimal

import pytest

from app.demo.catalogue import indices, services
from app.demo.drawing import draw
from app.demo.laboratory import Condition, Patient, glomerular_filtration, measures
from app.demo.people import citizen, facility_of
from app.demo.visits import Measure
from app.records.arrivals import Sex

HEALTHY = Condition(findings={}, recovery=0, progress=0.5)
BLOOD_COUNT = services()["cbc"]


def patient(number: int = 1, drift: dict[str, tuple[Decimal, Decimal]] | None = None) -> Patient:
    person = citizen(number)
    return Patient(citizen=person, seed=7, age=person.age_on(date(2026, 11, 22)), drift=drift or {})


def drawn(
    service: str, one: Patient, *, condition: Condition = HEALTHY, facility: str = "01901", turn: int = 0
) -> dict[str, Measure]:
    found = measures(
        services()[service],
        patient=one,
        facility=facility_of(facility),
        condition=condition,
        rng=draw(7, turn, "test"),
    )
    return {measure.index.key: measure for measure in found}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_blood_count_is_consistent_in_itself(number: int) -> None:
    count = {key: float(measure.value) for key, measure in drawn("cbc", patient(number)).items()}

    assert count["HGB"] == pytest.approx(count["RBC"] * count["MCH"], abs=1.5)
    assert count["HCT"] == pytest.approx(count["RBC"] * count["MCV"] / 1000, abs=0.003)
    parts = [count[f"{cell}%"] for cell in ("NEU", "LYM", "MONO", "EOS", "BASO")]
    assert sum(parts) == pytest.approx(100, abs=0.3)
    assert all(part > 0 for part in parts)


def test_healthy_values_lie_in_the_usual_range() -> None:
    for turn in range(40):
        for key in ("glucose", "creatinine", "electrolytes", "alt"):
            for measure in drawn(key, patient(), turn=turn).values():
                if measure.index.key == "eGFR":
                    continue
                usual = measure.index.usual
                assert usual is not None
                assert usual[Sex.MALE][0] <= Decimal(measure.value) <= usual[Sex.MALE][1]


def test_a_person_keeps_a_level_of_their_own() -> None:
    mine = [Decimal(drawn("ldl", patient(1), turn=turn)["LDL-C"].value) for turn in range(20)]
    others = [Decimal(drawn("ldl", patient(number), turn=1)["LDL-C"].value) for number in range(5, 40)]

    assert max(mine) - min(mine) < Decimal("0.3")
    assert max(others) - min(others) > Decimal("0.4")


def test_a_disease_drifts_over_the_year() -> None:
    one = patient(drift={"HbA1c": (Decimal("9.1"), Decimal("6.9"))})
    then = drawn("hba1c", one, condition=Condition(findings={}, recovery=0, progress=0))
    now = drawn("hba1c", one, condition=Condition(findings={}, recovery=0, progress=1))

    assert Decimal("8.8") <= Decimal(then["HbA1c"].value) <= Decimal("9.4")
    assert Decimal("6.7") <= Decimal(now["HbA1c"].value) <= Decimal("7.1")


def test_a_finding_recovers() -> None:
    findings = {"PLT": (Decimal(40), Decimal(60))}
    platelets = [
        float(drawn("cbc", patient(2), condition=Condition(findings=findings, recovery=r, progress=0))["PLT"].value)
        for r in (0, 0.5, 1)
    ]

    assert 40 <= platelets[0] <= 60
    assert platelets[0] < platelets[1] < platelets[2]
    assert platelets[2] > 150


def test_words_are_drawn_from_the_finding_or_usual() -> None:
    ill = Condition(findings={"DEN-NS1": ("Dương tính",)}, recovery=0, progress=0)

    assert drawn("dengue_ns1", patient())["DEN-NS1"].value == "Âm tính"
    assert drawn("dengue_ns1", patient(), condition=ill)["DEN-NS1"].value == "Dương tính"


def test_the_blood_group_is_the_persons() -> None:
    group = drawn("blood_group", patient(1))

    assert f"{group['ABO'].value}+" == citizen(1).blood_group
    assert group["Rh"].value == "Dương tính"


def test_the_hospital_in_the_south_writes_mass_units() -> None:
    north, south = (drawn("glucose", patient(), facility=code)["GLU"] for code in ("01901", "79001"))

    assert (north.unit, south.unit) == ("mmol/L", "mg/dL")
    assert Decimal(south.value) == pytest.approx(Decimal(north.value) * Decimal("18.0156"), abs=2)
    assert drawn("cbc", patient(), facility="79001")["WBC"].unit == "10^9/L"


def test_the_central_hospital_sends_national_codes_where_it_has_them() -> None:
    assert drawn("pt", patient())["PT"].code == "1000001"
    assert drawn("pt", patient(), facility="79001")["PT"].code == "PT"


def test_children_have_no_adult_filtration_rate() -> None:
    assert "eGFR" in drawn("creatinine", patient(1))
    child = drawn("creatinine", patient(4))
    assert "eGFR" not in child
    assert Decimal(child["CRE"].value) < 50


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (88.4, 50, Sex.MALE, 92),
        (88.4, 50, Sex.FEMALE, 69),
        (53.0, 30, Sex.FEMALE, 124),
        (265.2, 70, Sex.MALE, 22),
    ],
)
def test_the_filtration_rate_is_that_of_the_published_equation(
    creatinine: float, age: int, sex: Sex, expected: int
) -> None:
    assert glomerular_filtration(creatinine_umol=creatinine, age=age, sex=sex) == pytest.approx(expected, abs=1)


def test_every_number_can_be_measured_for_both_sexes() -> None:
    for index in indices().values():
        if index.usual is not None:
            assert all(low < high for low, high in index.usual.values())
            assert (index.mass_unit is None) == (index.mass_factor is None)
