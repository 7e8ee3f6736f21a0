"""MedicationRequest and MedicationDispense: the drugs of a visit become prescriptions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from app.core.clock import VIETNAM_TIME
from app.ingestion.fhir import people
from app.ingestion.fhir.bundle import Bundle
from app.ingestion.fhir.message import Part
from app.ingestion.fhir.nodes import Node, codings, notes_of, number_text, words_of
from app.ingestion.fhir.systems import FORMS, Number, best_code, code_in, first_number, last_part
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.arrivals import PrescriptionArrival, PrescriptionItemArrival
from app.records.clinical import CodingArrival

_NOTHING: Final = Decimal(0)
_MOST_QUANTITY: Final = 10**12 - 1  # Numeric(15, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """One drug, with what the prescription that it stands in is known by."""

    resource: Node
    at: datetime
    prescriber: str | None
    code: str | None  # of the national prescription system
    item: PrescriptionItemArrival

    @property
    def key(self) -> str:
        """The prescription's key, the same by every door: day, clinician, and its own code where it has one."""
        plain = f"rx:{self.at.astimezone(VIETNAM_TIME):%Y%m%d}:{self.prescriber or '-'}"
        return plain if self.code is None else f"{plain}:{self.code.upper()}"

    @property
    def part(self) -> Part:
        """What it is of its prescription."""
        name = self.item.drug_name
        return Part(key=self.key, name=name, says=f"{self.item.drug_code}|{name}", lines=1, at=self.at)


def ordered(resource: Node, *, bundle: Bundle, otherwise_at: datetime | None, dispensed: Node | None) -> Ordered | None:
    """Read one drug; without a moment of its own it stands at that of its visit.

    Source: FHIR R4 MedicationRequest, MedicationDispense; Decision 808/QD-BYT.
    """
    is_request = resource.kind == "MedicationRequest"
    when = resource.moment("authoredOn" if is_request else "whenHandedOver")
    if when is None and not is_request:
        when = resource.moment("whenPrepared")
    at = when.at if when else otherwise_at
    if at is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "authoredOn" if is_request else "whenHandedOver")
        return None
    _, prescriber = people.who(bundle, resource, "requester") if is_request else (None, None)
    return Ordered(
        resource=resource, at=at, prescriber=prescriber, code=_code(resource), item=_item(resource, bundle, dispensed)
    )


def prescriptions(drugs: Iterable[Ordered]) -> tuple[PrescriptionArrival, ...]:
    """Group drugs by their key, in order of time."""
    groups: dict[str, list[Ordered]] = {}
    for drug in drugs:
        groups.setdefault(drug.key, []).append(drug)
    found = [
        PrescriptionArrival(
            key=key,
            code=group[0].code,
            ordered_at=min(drug.at for drug in group),
            prescriber_certificate=group[0].prescriber,
            items=tuple(_numbered(drug.item, line) for line, drug in enumerate(group, start=1)),
        )
        for key, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.ordered_at, one.key)))


def _code(resource: Node) -> str | None:
    group = resource.node("groupIdentifier")
    code = group.text("value", longest=100) if group else None
    code = code or first_number(resource, Number.PRESCRIPTION)
    if code is not None and not FORMS[Number.PRESCRIPTION][0].fullmatch(code):
        detail = FORMS[Number.PRESCRIPTION][1]
        resource.remark(FhirCode.IDENTIFIER_MALFORMED, Effect.WARNS, "groupIdentifier", detail=detail)
    return code


def _numbered(item: PrescriptionItemArrival, line: int) -> PrescriptionItemArrival:
    return PrescriptionItemArrival(
        line=line, **{name: getattr(item, name) for name in PrescriptionItemArrival.__slots__ if name != "line"}
    )


def _item(resource: Node, bundle: Bundle, dispensed: Node | None) -> PrescriptionItemArrival:
    concept, medication = _medicine(resource, bundle)
    coding = codings(concept)
    dosages = resource.nodes("dosageInstruction")
    quantity, unit = _quantity(resource, dispensed)
    form = medication.node("form") if medication else None
    name = words_of(concept) or _display(resource) or _ingredients(medication) or ""
    if not name and (concept or medication):  # a drug without a name is none
        (concept or resource).remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "text" if concept else "medication[x]")
    return PrescriptionItemArrival(
        line=1,
        drug_code=best_code(_without_registration(coding), "ma-thuoc", "ma-hoat-chat") or "",
        drug_name=name,
        strength=_strength(medication),
        form=words_of(form),
        route_code=_joined(_route(one) for one in dosages),
        quantity=quantity,
        unit=unit,
        dose=_joined(_dose(one) for one in dosages),
        instruction=_joined([*(text for one in dosages for text in _instructions(one)), notes_of(resource)]),
        registration_number=code_in(coding, "so-dang-ky"),
        amount=_NOTHING,
        benefit_percent=None,
    )


def _ingredients(medication: Node | None) -> str | None:
    """Return the names of what a medicine is made of, which has none itself."""
    found = medication.nodes("ingredient") if medication else ()
    names = (words_of(one.node("itemCodeableConcept")) for one in found)
    return " + ".join(dict.fromkeys(name for name in names if name)) or None


def _without_registration(coding: tuple[CodingArrival, ...]) -> tuple[CodingArrival, ...]:
    return tuple(one for one in coding if last_part(one.system) != "so-dang-ky")


def _medicine(resource: Node, bundle: Bundle) -> tuple[Node | None, Node | None]:
    if resource.has("medicationCodeableConcept"):
        return resource.node("medicationCodeableConcept"), None
    found = bundle.follow(resource, "medicationReference", kinds=("Medication",))
    if isinstance(found, Node):
        return found.node("code"), found
    effect = Effect.WARNS if _display(resource) else Effect.REJECTS  # a drug without a name is none
    resource.remark(FhirCode.REFERENCE_UNRESOLVED, effect, "medicationReference")
    return None, None


def _display(resource: Node) -> str | None:
    reference = resource.node("medicationReference")
    return reference.text("display") if reference else None


def _quantity(resource: Node, dispensed: Node | None) -> tuple[Decimal, str]:
    asked = resource.node("dispenseRequest")
    for holder in (asked, resource, dispensed):
        quantity = holder.node("quantity") if holder else None
        value = quantity.number("value", most=_MOST_QUANTITY) if quantity else None
        if quantity is not None and value is not None:
            return value, quantity.text("unit") or quantity.text("code") or ""
    return _NOTHING, ""


def _strength(medication: Node | None) -> str | None:
    for ingredient in medication.nodes("ingredient") if medication else ():
        ratio = ingredient.node("strength")
        above, below = (ratio.node("numerator"), ratio.node("denominator")) if ratio else (None, None)
        if (text := _measured(above)) is not None:
            under = _measured(below)
            return text if under in (None, "1") else f"{text}/{under}"
    return None


def _measured(quantity: Node | None) -> str | None:
    value = quantity.number("value") if quantity else None
    if quantity is None or value is None:
        return None
    unit = quantity.text("unit") or quantity.text("code") or ""
    return f"{number_text(value)}{'' if unit == '1' else unit}"


def _route(dosage: Node) -> str | None:
    """Return the route by its code, else in the words that were sent."""
    concept = dosage.node("route")
    return code_in(codings(concept), "ma-duong-dung") or words_of(concept)


def _instructions(dosage: Node) -> Iterator[str | None]:
    yield dosage.text("patientInstruction")
    yield from (words_of(one) for one in dosage.nodes("additionalInstruction"))


def _joined(texts: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(text for text in texts if text)) or None


def _dose(dosage: Node) -> str | None:
    if text := dosage.text("text"):
        return text
    amounts = [text for one in dosage.nodes("doseAndRate") if (text := _amount(one)) is not None]
    timing = dosage.node("timing")
    often = words_of(timing.node("code")) if timing else None
    repeat = timing.node("repeat") if timing else None
    if often is None and repeat is not None and (times := repeat.whole("frequency")) is not None:
        period = repeat.number("period")
        often = f"{times} × / {number_text(period) if period is not None else 1} {repeat.code('periodUnit') or 'd'}"
    return ", ".join([*amounts, *([often] if often else [])]) or None


def _amount(dose: Node) -> str | None:
    """Return how much is taken at once, or between how much."""
    between = dose.node("doseRange")
    low, high = (between.node(name) if between else None for name in ("low", "high"))
    if low is None and high is None:
        return _spaced(dose.node("doseQuantity"))
    if low is None or high is None:
        told = _spaced(low or high)
        return told and f"{'≥' if low else '≤'}{told}"
    value, told = low.number("value"), _spaced(high)
    return f"{number_text(value)}–{told}" if value is not None and told else told


def _spaced(quantity: Node | None) -> str | None:
    value = quantity.number("value") if quantity else None
    if quantity is None or value is None:
        return None
    return f"{number_text(value)} {quantity.text('unit') or quantity.text('code') or ''}".strip()
