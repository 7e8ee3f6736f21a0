"""Plausible laboratory values: a person's own level, a disease's drift over the year, a finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import exp, log

from app.demo.catalogue import Index, Service, indices
from app.demo.drawing import Draws, draw
from app.demo.people import Citizen, Facility
from app.demo.visits import Measure
from app.records.arrivals import Sex

NATIONAL_CODES: Mapping[str, str] = {"PT": "1000001", "GRAM": "1020001"}
"""National codes of Decision 1227/QĐ-BYT that the central hospital sends already; others send local ones."""

_MASS_SPELLINGS = {"G/L": "10^9/L", "T/L": "10^12/L", "µmol/L": "umol/L"}
_ADULT_AGE = 18
_PRIVATE_SPREAD = (0.2, 0.8)  # where in the usual range a person's own level lies
_NOISE_OF_RANGE = 0.08
_NOISE_OF_DRIFT = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The one whose values are drawn. `drift` holds index: (value a year ago, value now)."""

    citizen: Citizen
    seed: int
    age: int
    drift: Mapping[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What bends the values at one moment."""

    findings: Mapping[str, tuple[str, ...] | tuple[Decimal, Decimal]]
    recovery: float  # from the findings of the illness (0) to the person's own level (1)
    progress: float  # the part of the year that has passed: 0 a year ago, 1 now


def measures(
    service: Service, *, patient: Patient, facility: Facility, condition: Condition, rng: Draws
) -> tuple[Measure, ...]:
    """Return the results of one service, written as the facility writes them."""
    values: dict[str, float] = {}
    done: list[Measure] = []
    for key in service.index_keys:
        index = indices()[key]
        if key == "eGFR" and patient.age < _ADULT_AGE:
            continue
        if index.usual is None:
            done.append(_worded(index, patient, facility, condition, rng))
            continue
        usual = index.usual[patient.citizen.sex]
        derived = _derived(key, values, patient)
        values[key] = _drawn(key, usual, patient, condition, rng) if derived is None else derived
        done.append(_written(index, values[key], facility))
    return tuple(done)


def glomerular_filtration(*, creatinine_umol: float, age: int, sex: Sex) -> float:
    """Return mL/min/1.73 m². Source: CKD-EPI 2021 equation without race."""
    is_female = sex is Sex.FEMALE
    ratio = creatinine_umol / 88.4 / (0.7 if is_female else 0.9)
    exponent = (-0.241 if is_female else -0.302) if ratio <= 1 else -1.2
    return 142 * exp(exponent * log(ratio)) * 0.9938**age * (1.012 if is_female else 1)


def _derived(key: str, values: Mapping[str, float], patient: Patient) -> float | None:
    if key == "HGB":
        return values["RBC"] * values["MCH"]
    if key == "HCT":
        return values["RBC"] * values["MCV"] / 1000
    if key == "MCHC":
        return values["HGB"] / values["HCT"]
    if key == "LYM%":
        return 100 - sum(values[part] for part in ("NEU%", "MONO%", "EOS%", "BASO%"))
    if key == "eGFR":
        return glomerular_filtration(creatinine_umol=values["CRE"], age=patient.age, sex=patient.citizen.sex)
    return None


def _drawn(key: str, usual: tuple[Decimal, Decimal], patient: Patient, condition: Condition, rng: Draws) -> float:
    own = _own_level(key, usual, patient, condition, rng)
    found = condition.findings.get(key)
    if found is None:
        return own
    return rng.uniform(float(found[0]), float(found[1])) * (1 - condition.recovery) + own * condition.recovery


def _own_level(key: str, usual: tuple[Decimal, Decimal], patient: Patient, condition: Condition, rng: Draws) -> float:
    if key in patient.drift:
        then, now = (float(value) for value in patient.drift[key])
        noise = rng.uniform(-_NOISE_OF_DRIFT, _NOISE_OF_DRIFT)
        return (then + (now - then) * condition.progress) * (1 + noise)
    low, high = (float(bound) for bound in usual)
    if key == "CRE" and patient.age < _ADULT_AGE:
        low, high = 18 + 2.2 * patient.age, 28 + 2.8 * patient.age
    part = draw(patient.seed, patient.citizen.number, f"level/{key}").uniform(*_PRIVATE_SPREAD)
    return low + (high - low) * (part + rng.uniform(-_NOISE_OF_RANGE, _NOISE_OF_RANGE))


def _worded(index: Index, patient: Patient, facility: Facility, condition: Condition, rng: Draws) -> Measure:
    found = condition.findings.get(index.key)
    text = str(rng.choice(found)) if found else index.usual_text
    if index.key == "ABO":
        text = patient.citizen.blood_group.rstrip("+")
    return Measure(index=index, code=_code(index, facility), value=text, unit="")


def _written(index: Index, value: float, facility: Facility) -> Measure:
    code = _code(index, facility)
    exact = Decimal(repr(value))
    if not facility.mass_units:
        return Measure(index=index, code=code, value=_rounded(exact, index.decimals), unit=index.unit)
    if index.mass_factor is None or index.mass_unit is None:
        unit = _MASS_SPELLINGS.get(index.unit, index.unit)
        return Measure(index=index, code=code, value=_rounded(exact, index.decimals), unit=unit)
    converted = _rounded(exact * index.mass_factor, index.mass_decimals)
    return Measure(index=index, code=code, value=converted, unit=index.mass_unit)


def _code(index: Index, facility: Facility) -> str:
    return NATIONAL_CODES.get(index.key, index.key) if facility.level == "CENTRAL" else index.key


def _rounded(value: Decimal, decimals: int) -> str:
    return str(value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))
