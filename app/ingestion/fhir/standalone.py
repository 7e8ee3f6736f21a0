"""Immunization, ImagingStudy, Condition and AllergyIntolerance: records that need no visit."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from app.ingestion.fhir import people
from app.ingestion.fhir.bundle import Bundle
from app.ingestion.fhir.nodes import Moment, Node, codings, notes_of, words_of
from app.ingestion.fhir.systems import Number, best_code, code_in, identifiers
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.clinical import (
    AllergyArrival,
    AllergyCategory,
    AllergyKind,
    AllergyState,
    Certainty,
    ConditionArrival,
    ConditionState,
    Criticality,
    ImagingArrival,
    MomentPrecision,
    ReactionArrival,
    ReactionSeverity,
    VaccinationArrival,
    VaccinationProgramme,
    VaccinationStatus,
)

NOT_TOLD: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for the moment of receipt, which a reader does not know."""
_DECEMBER: Final = 12
_MOST_DOSES: Final = 2**15 - 1  # what the book keeps
_Word = TypeVar("_Word", bound=StrEnum)
_SEVERITIES: Final = {
    "mild": ReactionSeverity.MILD,
    "moderate": ReactionSeverity.MODERATE,
    "severe": ReactionSeverity.SEVERE,
}
_NONE_KNOWN: Final = frozenset({"716186003", "409137002", "429625007", "428607008"})
_ABSENT: Final = "absent-unknown-uv-ips"
_NONE_KNOWN_CATEGORY: Final = {
    "409137002": AllergyCategory.MEDICATION,
    "no-known-medication-allergies": AllergyCategory.MEDICATION,
    "429625007": AllergyCategory.FOOD,
    "no-known-food-allergies": AllergyCategory.FOOD,
    "428607008": AllergyCategory.ENVIRONMENT,
    "no-known-environmental-allergies": AllergyCategory.ENVIRONMENT,
}
_PROGRAMMES: Final = {
    "public": VaccinationProgramme.EXPANDED,
    "tcmr": VaccinationProgramme.EXPANDED,
    "expanded": VaccinationProgramme.EXPANDED,
    "outbreak": VaccinationProgramme.OUTBREAK,
    "private": VaccinationProgramme.SERVICE,
    "service": VaccinationProgramme.SERVICE,
}


def states_nothing(resource: Node) -> bool:
    """Tell an IPS statement that nothing is known: it states nothing that could be filed."""
    concept = resource.node("code") or resource.node("vaccineCode")
    absent = code_in(codings(concept), _ABSENT)
    return absent is not None and absent.startswith("no-") and absent.endswith("-info")


def vaccination(resource: Node, *, bundle: Bundle, source: str, visit: str | None) -> VaccinationArrival | None:
    """Read one dose. Source: FHIR R4 Immunization."""
    when = resource.moment("occurrenceDateTime") or resource.moment("recorded")
    if when is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "occurrenceDateTime")
        return None
    concept = resource.node("vaccineCode")
    if words_of(concept) is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "vaccineCode.text")
        return None
    protocol = next(iter(resource.nodes("protocolApplied")), None)
    amount = resource.node("doseQuantity")
    maker = resource.node("manufacturer")
    performer, certificate = _performer(resource, bundle)
    is_given = resource.code("status") == "completed"
    is_primary = resource.flag("primarySource")
    dose = protocol.whole("doseNumberPositiveInt", most=_MOST_DOSES) if protocol else None
    return VaccinationArrival(
        source_id=source,
        visit_source_id=visit,
        status=VaccinationStatus.GIVEN if is_given else VaccinationStatus.NOT_GIVEN,
        status_reason=words_of(resource.node("statusReason")),
        vaccine=codings(concept),
        vaccine_name=words_of(concept) or "",
        targets=tuple(
            one for target in (protocol.nodes("targetDisease") if protocol else ()) for one in codings(target)
        ),
        injected_at=when.at,
        injected_precision=when.precision,
        dose_number=dose,
        dose_text=protocol.text("doseNumberString") if protocol else None,
        series_doses=protocol.whole("seriesDosesPositiveInt", most=_MOST_DOSES) if protocol else None,
        lot_number=resource.text("lotNumber"),
        manufacturer=_display(bundle, maker, of=resource),
        expires_on=_expires_on(resource),
        site=words_of(resource.node("site")),
        route=words_of(resource.node("route")),
        amount=amount.number("value") if amount else None,
        amount_unit=(amount.text("unit") or amount.text("code")) if amount else None,
        programme=_programme(resource),
        observed_until=None,
        observation=None,
        reactions=_vaccine_reactions(resource, bundle),
        performer_name=performer,
        performer_certificate=certificate,
        is_primary_source=is_primary is not False,
        given_at=_display(bundle, resource.node("location"), of=resource) if is_primary is False else None,
        note=notes_of(resource),
    )


def _expires_on(resource: Node) -> date | None:
    """Return the last day on which a vaccine is good: where the month or the year alone is told, the last one of it."""
    told = resource.moment("expirationDate")
    if told is None or told.precision in (MomentPrecision.MINUTE, MomentPrecision.DAY):
        return told.on if told else None
    month = told.on.month if told.precision is MomentPrecision.MONTH else _DECEMBER
    return date(told.on.year, month, monthrange(told.on.year, month)[1])


def _programme(resource: Node) -> VaccinationProgramme | None:
    told = [*codings(resource.node("fundingSource"))]
    told += [one for concept in resource.nodes("programEligibility") for one in codings(concept)]
    return next((_PROGRAMMES[one.code.lower()] for one in told if one.code.lower() in _PROGRAMMES), None)


def _performer(resource: Node, bundle: Bundle) -> tuple[str | None, str | None]:
    best: tuple[str | None, str | None] = (None, None)
    for performer in resource.nodes("performer"):
        found = people.who(bundle, performer, "actor", of=resource)
        if found[1] is not None:
            return found
        best = best if best[0] else found
    return best


def _display(bundle: Bundle, reference: Node | None, *, of: Node) -> str | None:
    if reference is None:
        return None
    found = bundle.resolve(reference, kinds=("Organization", "Location"), of=of)
    return (people.name_of(found) if isinstance(found, Node) else None) or reference.text("display")


def _vaccine_reactions(resource: Node, bundle: Bundle) -> tuple[ReactionArrival, ...]:
    found = []
    for reaction in resource.nodes("reaction"):
        detail = bundle.follow(reaction, "detail", kinds=("Observation",), of=resource)
        words = _told(detail) if isinstance(detail, Node) else None
        reference = reaction.node("detail")
        words = words or (reference.text("display") if reference else None)
        at = reaction.moment("date")
        if words is not None:
            found.append(ReactionArrival(description=words, reacted_at=at.at if at else None, severity=None))
    return tuple(found)


def _told(observation: Node) -> str | None:
    value = words_of(observation.node("valueCodeableConcept")) or observation.text("valueString")
    return value or words_of(observation.node("code"))


def condition(
    resource: Node, *, bundle: Bundle, source: str, visit: str | None, otherwise_at: datetime | None
) -> ConditionArrival | None:
    """Read a condition that is no diagnosis of a visit. Source: FHIR R4 Condition."""
    concept = resource.node("code")
    name = words_of(concept)
    if name is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "code")
        return None
    onset, onset_text = _onset(resource)
    over = resource.node("abatementPeriod")
    abated = resource.moment("abatementDateTime") or (over and (over.moment("end") or over.moment("start")))
    recorded = resource.moment("recordedDate")
    recorded_at = recorded.at if recorded else onset.at if onset else otherwise_at
    if recorded_at is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "recordedDate")
        return None
    recorder, _ = people.who(bundle, resource, "recorder")
    return ConditionArrival(
        source_id=source,
        visit_source_id=visit,
        coding=codings(concept),
        name=name,
        state=_listed(resource, "clinicalStatus", ConditionState),
        certainty=_listed(resource, "verificationStatus", Certainty),
        severity=words_of(resource.node("severity")),
        onset_at=onset.at if onset else None,
        onset_precision=onset.precision if onset else None,
        onset_text=onset_text,
        abated_at=abated.at if abated else None,
        recorded_at=recorded_at,
        recorder_name=recorder,
        note=notes_of(resource),
    )


def allergy(
    resource: Node, *, bundle: Bundle, source: str, visit: str | None, otherwise_at: datetime | None
) -> AllergyArrival | None:
    """Read an allergy, or the statement that none is known. Source: FHIR R4 AllergyIntolerance."""
    concept = resource.node("code")
    coding = codings(concept)
    reactions = tuple(one for node in resource.nodes("reaction") if (one := _reaction(node)) is not None)
    substance = words_of(concept) or next(
        (told for node in resource.nodes("reaction") if (told := words_of(node.node("substance")))), None
    )
    if substance is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "code")
        return None
    onset, _ = _onset(resource)
    recorded, last = resource.moment("recordedDate"), resource.moment("lastOccurrence")
    recorded_at = recorded.at if recorded else onset.at if onset else otherwise_at
    if recorded_at is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "recordedDate")
        return None
    none_known = [one.code for one in coding if one.code in _NONE_KNOWN or one.code.startswith("no-known-")]
    categories = [_NONE_KNOWN_CATEGORY[code] for code in none_known if code in _NONE_KNOWN_CATEGORY]
    recorder, _ = people.who(bundle, resource, "recorder")
    return AllergyArrival(
        source_id=source,
        visit_source_id=visit,
        is_none_known=bool(none_known),
        coding=coding,
        substance=substance,
        kind=_word(resource, "type", AllergyKind),
        categories=tuple(dict.fromkeys([*_categories(resource), *categories])),
        criticality=_word(resource, "criticality", Criticality),
        state=_listed(resource, "clinicalStatus", AllergyState),
        certainty=_listed(resource, "verificationStatus", Certainty),
        reactions=reactions,
        onset_at=onset.at if onset else None,
        onset_precision=onset.precision if onset else None,
        last_reacted_at=last.at if last else None,
        recorded_at=recorded_at,
        recorder_name=recorder,
        note=notes_of(resource),
    )


def _reaction(node: Node) -> ReactionArrival | None:
    shown = [words_of(one) or words_of(one.node("concept")) for one in node.nodes("manifestation")]  # the latter in R5
    words = "; ".join(dict.fromkeys(text for text in (*shown, node.text("description")) if text))
    at = node.moment("onset")
    if not words:
        node.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES)
        return None
    severity = _SEVERITIES.get(node.code("severity") or "")
    return ReactionArrival(description=words, reacted_at=at.at if at else None, severity=severity)


def _categories(resource: Node) -> list[AllergyCategory]:
    known = {one.value.lower(): one for one in AllergyCategory}
    return [known[text] for text in resource.texts("category") if text in known]


def _onset(resource: Node) -> tuple[Moment | None, str | None]:
    period, age, between = resource.node("onsetPeriod"), resource.node("onsetAge"), resource.node("onsetRange")
    at = resource.moment("onsetDateTime") or (period.moment("start") if period else None)
    text = resource.text("onsetString")
    if text is None and age is not None and (value := age.number("value")) is not None:
        text = f"{value:f} {age.text('unit') or age.text('code') or ''}".strip()
    if text is None and between is not None:
        ends = [one.number("value") if (one := between.node(name)) else None for name in ("low", "high")]
        text = "–".join("" if end is None else f"{end:f}" for end in ends)
    return at, text


def _listed(resource: Node, name: str, words: type[_Word]) -> _Word | None:
    """Return the word of a CodeableConcept; one that is none is kept out, with a warning."""
    concept = resource.node(name)
    if concept is not None and not codings(concept) and concept.has("text"):
        resource.remark(FhirCode.CODE_UNKNOWN, Effect.WARNS, name)
    for coding in codings(concept):
        try:
            return words(coding.code.upper().replace("-", "_"))
        except ValueError:
            resource.remark(FhirCode.CODE_UNKNOWN, Effect.WARNS, name)
    return None


def _word(resource: Node, name: str, words: type[_Word]) -> _Word | None:
    code = resource.code(name)
    if code is None:
        return None
    try:
        return words(code.upper().replace("-", "_"))
    except ValueError:
        resource.remark(FhirCode.CODE_UNKNOWN, Effect.WARNS, name)
        return None


def imaging(
    resource: Node, *, bundle: Bundle, source: str, visit: str | None, reports: list[Node]
) -> ImagingArrival | None:
    """Read an imaging study with its report. Source: FHIR R4 ImagingStudy."""
    report = reports[0] if reports else None
    issued = (report.moment("issued") or report.moment("effectiveDateTime")) if report else None
    started = resource.moment("started") or issued
    if started is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "started")
        return None
    numbers = {number: value for number, value, _ in identifiers(resource) if number is not None}
    uid = numbers.get(Number.STUDY)
    series = resource.nodes("series")
    procedure = next(iter(resource.nodes("procedureCode")), report.node("code") if report else None)
    referrer, _ = people.who(bundle, resource, "referrer")
    reader, certificate = people.first_of(bundle, report, "resultsInterpreter", "performer") if report else (None, None)
    if reader is None:
        reader, certificate = people.first_of(bundle, resource, "interpreter")
    return ImagingArrival(
        source_id=source,
        visit_source_id=visit,
        study_uid=uid.removeprefix("urn:oid:") if uid else None,
        accession_number=numbers.get(Number.ACCESSION),
        modalities=_modalities(resource, series),
        procedure_code=best_code(codings(procedure), "ma-dich-vu"),
        procedure_name=words_of(procedure) or resource.text("description"),
        body_site=_first_words(series, "bodySite"),
        laterality=_first_words(series, "laterality"),
        started_at=started.at,
        series_count=resource.whole("numberOfSeries") or len(series) or None,
        instance_count=resource.whole("numberOfInstances"),
        referrer_name=referrer,
        reader_name=reader,
        reader_certificate=certificate,
        reported_at=issued.at if issued else None,
        report=None,
        conclusion=report.text("conclusion") if report else None,
        dicomweb_url=_dicomweb(resource, bundle),
        note=notes_of(resource),
    )


def _modalities(study: Node, series: Sequence[Node]) -> tuple[str, ...]:
    told = (*study.nodes("modality"), *(one.node("modality") for one in series))
    return tuple(dict.fromkeys(code for node in told if node and (code := node.code("code"))))


def _first_words(series: Sequence[Node], name: str) -> str | None:
    """Return what the first series that tells it says of a Coding."""
    for one in series:
        coding = one.node(name)
        if coding and (words := coding.text("display") or coding.code("code")):
            return words
    return None


def _dicomweb(resource: Node, bundle: Bundle) -> str | None:
    """Return an endpoint's address as it was sent; nothing is fetched from it."""
    for holder in (resource, *resource.nodes("series")):
        for reference in holder.nodes("endpoint"):
            found = bundle.resolve(reference, kinds=("Endpoint",), of=resource)
            if isinstance(found, Node) and (address := found.text("address", longest=2_000)):
                return address
    return None
