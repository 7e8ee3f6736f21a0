"""Patient and Coverage: whom a message is about."""

from datetime import date, datetime
from typing import Final

from app.core.errors import Text
from app.ingestion.fhir.nodes import Node, codings
from app.ingestion.fhir.systems import FORMS, LONG_CARD, Number, identifiers
from app.ingestion.fhir.words import FhirCode
from app.ingestion.qd4750.values import benefit_code, is_filler, is_garbled
from app.ingestion.verdict import Effect
from app.records.arrivals import BirthPrecision, IdentifierKind, InsuranceCardArrival, PersonArrival, Sex
from app.records.clinical import MomentPrecision

_SEXES: Final = {
    "male": Sex.MALE,
    "female": Sex.FEMALE,
    "other": Sex.UNDETERMINED,
    "unknown": Sex.UNDETERMINED,
}
_KINDS: Final = {
    Number.PERSONAL_ID: IdentifierKind.PERSONAL_ID,
    Number.PASSPORT: IdentifierKind.PASSPORT,
    Number.OLD_ID: IdentifierKind.OLD_ID,
}
_NAME_USES: Final = ("official", "usual", None)
_NO_NAMES: Final = frozenset({"old", "maiden", "nickname", "anonymous", "temp"})
BIRTH_TIME: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
_BIRTH: Final = Text("một ngày của FHIR, ví dụ 1985-03-12 hoặc 1985", "a FHIR date, such as 1985-03-12 or 1985")
_PARTIES: Final = ("subscriber", "beneficiary")
_LONGEST_NAME: Final = 255
_LONGEST_NUMBER: Final = 400


def person(patient: Node, *, coverages: tuple[Node, ...]) -> PersonArrival:
    """Read a Patient with the insurance cards of its Coverages, and ask for a quarantine where nobody can be found.

    Source: FHIR R4 Patient; vietnam.md 3.
    """
    for name in ("link", "active"):
        if patient.has(name) and (name == "link" or patient.flag("active") is False):
            patient.remark(FhirCode.PATIENT_LINK, Effect.NOTES, name)
            break
    birth_on, precision, born_at = _birth(patient)
    number, kind, patient_number = _numbers(patient)
    cards = _cards(patient, coverages)
    if number is None and not cards and born_at is None:
        patient.remark(FhirCode.IDENTIFIER_NONE, Effect.QUARANTINES, "identifier")
    return PersonArrival(
        full_name=_name(patient),
        birth_on=birth_on,
        birth_precision=precision,
        born_at=born_at,
        sex=_sex(patient),
        identifier=number,
        identifier_kind=kind,
        patient_number=patient_number or patient.code("id") or "",
        insurance_cards=cards,
        phone=_phone(patient),
        address=_address(patient),
        ethnic_code=None,
        nationality_code=None,
        occupation_code=None,
        blood_group=None,
    )


def _name(patient: Node) -> str:
    names = [one for one in patient.nodes("name") if one.code("use") not in _NO_NAMES]
    names.sort(key=lambda one: _NAME_USES.index(use) if (use := one.code("use")) in _NAME_USES else len(_NAME_USES))
    for name in names:
        parts = [part for part in (name.text("family"), *name.texts("given")) if part]
        text = name.text("text") or " ".join(parts)
        if text:
            if is_garbled(text):
                patient.remark(FhirCode.NAME_GARBLED, Effect.QUARANTINES, "name")
            return text[:_LONGEST_NAME]
    patient.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "name")
    return ""


def _birth(patient: Node) -> tuple[date, BirthPrecision, datetime | None]:
    told = patient.moment("birthDate")
    if told is None:
        return date(1, 1, 1), BirthPrecision.YEAR, None
    if told.precision in (MomentPrecision.YEAR, MomentPrecision.MONTH):
        if told.precision is MomentPrecision.MONTH:
            patient.remark(FhirCode.ELEMENT_MALFORMED, Effect.WARNS, "birthDate", detail=_BIRTH)
        return date(told.on.year, 1, 1), BirthPrecision.YEAR, None
    around = patient.node("_birthDate")
    for extension in around.nodes("extension") if around else ():
        at = extension.moment("valueDateTime") if extension.code("url") == BIRTH_TIME else None
        if at is not None and at.precision is MomentPrecision.MINUTE:
            return at.on, BirthPrecision.MINUTE, at.at
    return told.on, BirthPrecision.DAY, None


def _sex(patient: Node) -> Sex:
    gender = patient.code("gender")
    if gender is not None and gender not in _SEXES:
        patient.remark(FhirCode.CODE_UNKNOWN, Effect.WARNS, "gender")
    return _SEXES.get(gender or "unknown", Sex.UNDETERMINED)


def _numbers(patient: Node) -> tuple[str | None, IdentifierKind | None, str | None]:
    """Return the strongest number that names the person anywhere, its kind, and the facility's own number."""
    found: dict[IdentifierKind, str] = {}
    patient_number = None
    for number, value, identifier in identifiers(patient):
        if number is Number.PATIENT:
            patient_number = patient_number or value
        elif number in _KINDS:
            _document(number, value, identifier, found=found)
        elif number is None and (system := identifier.code("system")) is not None:
            if is_filler(value):
                identifier.remark(FhirCode.IDENTIFIER_PLACEHOLDER, Effect.WARNS, "value")
            else:  # a number of another register, by its system: no two of them are the same by chance
                found.setdefault(IdentifierKind.OTHER, f"{system}|{value}"[:_LONGEST_NUMBER])
    for kind in IdentifierKind:  # the strongest first
        if kind in found:
            if len(found) > 1:
                patient.remark(FhirCode.IDENTIFIER_NOT_USED, Effect.NOTES, "identifier")
            return found[kind], kind, patient_number
    return None, None, patient_number


def _document(number: Number, value: str, identifier: Node, *, found: dict[IdentifierKind, str]) -> None:
    kind = _KINDS[number]
    plain = "".join(value.split()).upper()
    form, wanted = FORMS[number]
    if number is Number.PERSONAL_ID and FORMS[Number.OLD_ID][0].fullmatch(plain):
        kind, form = IdentifierKind.OLD_ID, FORMS[Number.OLD_ID][0]
    if is_filler(plain):
        identifier.remark(FhirCode.IDENTIFIER_PLACEHOLDER, Effect.QUARANTINES, "value")
    elif not form.fullmatch(plain):
        identifier.remark(FhirCode.IDENTIFIER_MALFORMED, Effect.QUARANTINES, "value", detail=wanted)
    else:
        found.setdefault(kind, plain)


def _cards(patient: Node, coverages: tuple[Node, ...]) -> tuple[InsuranceCardArrival, ...]:
    cards: dict[str, InsuranceCardArrival] = {}
    for number, value, identifier in identifiers(patient):
        if number is Number.INSURANCE:
            _card(identifier, value, name="value", period=identifier.node("period"), cards=cards)
    for coverage in coverages:
        numbers = [value for number, value, _ in identifiers(coverage) if number is Number.INSURANCE]
        told = numbers[0] if numbers else _own_subscription(coverage)
        if told is not None:
            _card(coverage, told, name="identifier", period=coverage.node("period"), cards=cards)
    return tuple(cards.values())


def _own_subscription(coverage: Node) -> str | None:
    """Return a subscriber's number that is the long number of a card, and the card of whom the Coverage is about.

    A child's Coverage tells the parent's subscription, and other insurers have numbers of ten digits too.
    """
    number = coverage.text("subscriberId")
    relation = {one.code for one in codings(coverage.node("relationship"))}
    subscriber, holder = (node.text("reference") if (node := coverage.node(name)) else None for name in _PARTIES)
    is_own = relation <= {"self"} and subscriber in (None, holder)
    return number if number is not None and is_own and LONG_CARD.fullmatch("".join(number.split()).upper()) else None


def _card(holder: Node, value: str, *, name: str, period: Node | None, cards: dict[str, InsuranceCardArrival]) -> None:
    number = "".join(value.split()).upper()
    form, wanted = FORMS[Number.INSURANCE]
    if not form.fullmatch(number):
        holder.remark(FhirCode.IDENTIFIER_MALFORMED, Effect.WARNS, name, detail=wanted)
        return
    start, end = (period.moment("start"), period.moment("end")) if period else (None, None)
    if number in cards and start is None and end is None:
        return
    cards[number] = InsuranceCardArrival(
        number=number,
        registered_facility_code=_registered(holder),
        valid_from=start.on if start else None,
        valid_until=end.on if end else None,
        benefit_code=benefit_code(number),
    )


def _registered(coverage: Node) -> str | None:
    """Return the facility of first registration: a class of the Coverage that has a facility's code."""
    for one in coverage.nodes("class"):
        value = one.text("value")
        if value is not None and FORMS[Number.FACILITY][0].fullmatch(value):
            return value
    return None


def _phone(patient: Node) -> str | None:
    for telecom in patient.nodes("telecom"):
        if telecom.code("system") == "phone" and telecom.code("use") != "old":
            value = telecom.text("value", longest=100)
            return value.removeprefix("tel:") if value else None
    return None


def _address(patient: Node) -> str | None:
    for address in patient.nodes("address"):
        if address.code("use") == "old":
            continue
        parts = (*address.texts("line"), *(address.text(name) for name in ("district", "city", "state", "country")))
        return address.text("text") or ", ".join(part for part in parts if part) or None
    return None
