"""Observation and DiagnosticReport: paraclinical results become reports."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from app.core.clock import VIETNAM_TIME
from app.ingestion.fhir import people
from app.ingestion.fhir.bundle import Bundle, Outside
from app.ingestion.fhir.message import Part, Referred
from app.ingestion.fhir.nodes import LONGEST_TEXT, Moment, Node, codings, notes_of, number_text, plain_number, words_of
from app.ingestion.fhir.systems import best_code
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.arrivals import TestCategory, TestReportArrival, TestResultArrival

WEIGHT_CODES: Final = frozenset({"29463-7", "3141-9", "8341-0"})
_CATEGORIES: Final = {
    **dict.fromkeys(
        (
            "LAB",
            "CH",
            "HM",
            "MB",
            "SR",
            "BLB",
            "CG",
            "CP",
            "GE",
            "IMM",
            "LABORATORY",
            "MCB",
            "MYC",
            "PAT",
            "SP",
            "TX",
            "URN",
            "VR",
        ),
        TestCategory.LABORATORY,
    ),
    **dict.fromkeys(
        ("RAD", "CT", "NMR", "NMS", "RUS", "RX", "CTH", "XRC", "VUS", "OUS", "IMAGING", "DX"), TestCategory.IMAGING
    ),
    **dict.fromkeys(("EC", "EN", "PF", "CUS", "AU", "PHR", "PT", "RC", "PROCEDURE"), TestCategory.FUNCTIONAL),
}
_NOT_YET: Final = frozenset({"registered", "partial", "preliminary"})
_WITHDRAWN: Final = frozenset({"entered-in-error", "cancelled"})
_VALUES: Final = (
    "valueQuantity",
    "valueCodeableConcept",
    "valueString",
    "valueBoolean",
    "valueInteger",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueTime",
    "valueDateTime",
    "valuePeriod",
)
_MOST_NAME: Final = 1_000
_OF_REPORT: Final = "test:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report, and the observations that stand in it."""

    resource: Node
    arrival: TestReportArrival
    observations: tuple[Node, ...]
    referred: tuple[Referred, ...]  # results that are not in the message


def is_withdrawn(resource: Node) -> bool:
    """Tell whether a result is taken back."""
    return resource.code("status") in _WITHDRAWN


def is_not_yet(resource: Node) -> bool:
    """Tell whether a result is still to come: what is not final does not stand in a book."""
    return resource.code("status") in _NOT_YET


def moment_of(resource: Node) -> Moment | None:
    """Return when a result was given: issued, else when it was taken."""
    found = resource.moment("issued") or resource.moment("effectiveDateTime") or resource.moment("effectiveInstant")
    if found is None and (period := resource.node("effectivePeriod")) is not None:
        found = period.moment("end") or period.moment("start")
    if found is None and (timing := resource.node("effectiveTiming")) is not None:
        found = timing.first_moment("event")
    return found


def sampled_at(resource: Node, *, bundle: Bundle) -> datetime | None:
    """Return when the specimen was taken or the images were made, where that is told."""
    single = resource.node("specimen") if resource.kind == "Observation" else None
    listed = [] if resource.kind == "Observation" else resource.nodes("specimen")
    for reference in [single] if single else listed:
        specimen = bundle.resolve(reference, kinds=("Specimen",), of=resource)
        taken = specimen.node("collection") if isinstance(specimen, Node) else None
        period = taken.node("collectedPeriod") if taken else None
        told = taken and (taken.moment("collectedDateTime") or (period and period.moment("start")))
        if told:
            return told.at
    period = resource.node("effectivePeriod")
    found = resource.moment("effectiveDateTime") or resource.moment("effectiveInstant")
    found = found or (period.moment("start") if period else None)
    return found.at if found else None


def report(
    resource: Node, *, bundle: Bundle, otherwise_at: datetime | None, skip: Callable[[Node], bool]
) -> Report | None:
    """Read a DiagnosticReport with its results, in their order.

    Its key depends on code and moment alone, as that of the same report in XML4 does.
    """
    when = moment_of(resource)
    at = when.at if when else otherwise_at
    if at is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "effective[x]")
        return None
    concept = resource.node("code")
    code, name = best_code(codings(concept), "ma-dich-vu"), words_of(concept)
    told: list[TestResultArrival] = []
    observations: list[Node] = []
    referred: list[Referred] = []
    for reference, found in _observations(resource, bundle=bundle, skip=skip):
        if isinstance(found, Outside):
            referred.append(Referred(names=found.names, after=len(told), path=reference.path))
        else:
            observations.append(found)
            told += bundle.remarks.once(found.value, read_results, found)
    results = _lines(told)
    conclusion = _joined([resource.text("conclusion"), *(words_of(one) for one in resource.nodes("conclusionCode"))])
    description = "\n".join(text for text in (_presented(resource), _noted(observations)) if text) or None
    if not results and (conclusion or description):
        results = (_described(name or code or "-"),)
    _, reader = people.first_of(bundle, resource, "resultsInterpreter", "performer")
    arrival = TestReportArrival(
        key=report_key(code, at),
        category=_category(resource, has_values=bool(referred) or any(one.value_text for one in results)),
        service_code=code,
        service_name=name,
        resulted_at=at,
        sampled_at=sampled_at(resource, bundle=bundle),
        reader_certificate=reader,
        description=description,
        conclusion=conclusion,
        results=results,
    )
    return Report(resource=resource, arrival=arrival, observations=tuple(observations), referred=tuple(referred))


def report_key(code: str | None, at: datetime) -> str:
    """Return the key of a report, the same by every door."""
    return f"{_OF_REPORT}{code or '-'}:{at.astimezone(VIETNAM_TIME):%Y%m%d%H%M}"


def is_key_of_report(key: str) -> bool:
    """Tell whether a key is that of a report, not of observations that stand in none."""
    return key.startswith(_OF_REPORT)


def gathered(observations: Iterable[Node], *, bundle: Bundle, category: str, at: datetime) -> TestReportArrival:
    """Make one report of observations that stand in none, of one category and minute."""
    nodes = list(observations)
    named = next((words_of(one) for node in nodes[:1] for one in node.nodes("category")), None)
    results = _lines([one for node in nodes for one in read_results(node)])
    return TestReportArrival(
        key=gathered_key(category, at),
        category=_CATEGORIES.get(category.upper(), TestCategory.OTHER),
        service_code=None,
        service_name=named,
        resulted_at=at,
        sampled_at=next((found for node in nodes if (found := sampled_at(node, bundle=bundle)) is not None), None),
        reader_certificate=None,
        description=_noted(nodes),
        conclusion=None,
        results=results,
    )


def part(observation: Node, *, lines: list[TestResultArrival], key: str, at: datetime, bundle: Bundle) -> Part:
    """Return what an observation is of such a report."""
    says = "|".join(text for one in lines for text in (one.code or "-", one.name))
    name, taken = words_of(observation.node("code")) or "-", sampled_at(observation, bundle=bundle)
    tells = tuple((one.code, one.name) for one in lines)
    return Part(key=key, name=name, says=says, lines=len(lines), at=at, sampled_at=taken, tells=tells)


def part_of_report(observation: Node, *, bundle: Bundle, otherwise_at: datetime) -> Part:
    """Return what an observation of a report is when it comes alone."""
    when = moment_of(observation)
    at = when.at if when else otherwise_at
    key = gathered_key(category_of(observation), at)
    lines = bundle.remarks.once(observation.value, read_results, observation)
    return part(observation, lines=lines, key=key, at=at, bundle=bundle)


def part_of_itself(report: TestReportArrival) -> Part:
    """Return what a DiagnosticReport is known by."""
    name = report.service_name or report.service_code or "-"
    return Part(key=report.key, name=name, says=name, lines=0, at=report.resulted_at)


def gathered_key(category: str, at: datetime) -> str:
    """Return the key of such a report."""
    return f"obs:{category}:{at.astimezone(VIETNAM_TIME):%Y%m%d%H%M}"


def keyed(arrival: TestReportArrival, key: str) -> TestReportArrival:
    """Return a report under another key."""
    return replace(arrival, key=key)


def category_of(observation: Node) -> str:
    """Return the code of an observation's first category."""
    for concept in observation.nodes("category"):
        for coding in codings(concept):
            return coding.code
    return "-"


def weight_of(observation: Node) -> Decimal | None:
    """Return a body weight in kilograms, where an observation is one."""
    if not any(one.code in WEIGHT_CODES for one in codings(observation.node("code"))):
        return None
    quantity = observation.node("valueQuantity")
    value = quantity.number("value") if quantity else None
    is_kg = quantity is not None and (quantity.code("code") or quantity.code("unit")) == "kg"
    return value if is_kg and value is not None and 0 < value < 1_000 else None  # noqa: PLR2004 - Numeric(6, 2)


def _observations(resource: Node, *, bundle: Bundle, skip: Callable[[Node], bool]) -> list[tuple[Node, Node | Outside]]:
    """Return each result that a report refers to, with the reference: in the message or not."""
    found: list[tuple[Node, Node | Outside]] = []
    seen: set[int] = set()
    waiting = [(reference, resource) for reference in resource.nodes("result")]
    while waiting:
        reference, holder = waiting.pop(0)
        node = bundle.resolve(reference, kinds=("Observation",), of=holder)
        if not isinstance(node, Node):
            if node is not None:
                reference.remark(FhirCode.RESULT_APART, Effect.WARNS)
                found.append((reference, node))
            elif reference.has("display"):
                reference.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "display")
            continue
        if id(node.value) in seen or skip(node):  # whoever refers in a circle is read once
            continue
        seen.add(id(node.value))
        found.append((reference, node))
        waiting[:0] = [(member, node) for member in node.nodes("hasMember")]
    return found


def read_results(observation: Node) -> list[TestResultArrival]:
    """Read an observation and its components; a panel without a value of its own gives its components alone."""
    if is_withdrawn(observation):
        return []
    parts = [one for component in observation.nodes("component") if (one := _result(component)) is not None]
    own = _result(observation)
    has_more = bool(parts) or observation.has("hasMember")
    return [*([own] if own is not None and (own.value_text is not None or not has_more) else []), *parts]


def _result(node: Node) -> TestResultArrival | None:
    concept = node.node("code")
    code = best_code(codings(concept), "ma-chi-so")
    name = words_of(concept)
    if name is None:
        return None
    text, number, unit = _value(node)
    if text is None and not (
        node.has("component") or node.has("hasMember")
    ):  # why there is no value stands in its place
        text = words_of(node.node("dataAbsentReason"))
    return TestResultArrival(
        line=1,
        code=code,
        name=name[:_MOST_NAME],
        value_text=text,
        value=number,
        unit=unit,
        reference_range=_range(node),
        interpretation=_flag(node),
    )


def _range(node: Node) -> str | None:
    """Return the range that the laboratory calls normal, in its words or as its two ends."""
    for told in sorted(node.nodes("referenceRange"), key=_is_not_normal):
        text = told.text("text")
        low, high = (_measured(told.node(name)) for name in ("low", "high"))
        unit = low[2] or high[2]
        between = f"{low[0]}–{high[0]}" if low[0] and high[0] else f"≥{low[0]}" if low[0] else f"≤{high[0]}"
        if text or low[0] or high[0]:
            return text or (f"{between} {unit}" if unit else between)
    return None


def _is_not_normal(told: Node) -> bool:
    kinds = {one.code for one in codings(told.node("type"))}
    return bool(kinds) and "normal" not in kinds


def _flag(node: Node) -> str | None:
    """Return the flags of a result as they were sent. Source: FHIR R4 ObservationInterpretation."""
    told = (next((one.code for one in codings(one)), words_of(one)) for one in node.nodes("interpretation"))
    return _joined(told)


def _value(node: Node) -> tuple[str | None, Decimal | None, str | None]:
    kind = node.choice(*_VALUES)
    if kind == "valueQuantity":
        return _measured(node.node(kind))
    if kind == "valueInteger":
        whole = node.whole(kind)
        return (None, None, None) if whole is None else (str(whole), Decimal(whole), None)
    if kind in ("valueBoolean", "valueCodeableConcept"):
        flag = node.flag(kind) if kind == "valueBoolean" else words_of(node.node(kind))
        return (str(flag).lower() if isinstance(flag, bool) else flag), None, None
    if kind in ("valueRange", "valueRatio", "valuePeriod"):
        return _between(node.node(kind))
    if kind in (None, "valueSampledData"):
        return None, None, None
    text = node.text(kind)
    return text, plain_number(text) if text and kind == "valueString" else None, None


def _measured(quantity: Node | None) -> tuple[str | None, Decimal | None, str | None]:
    value = quantity.number("value") if quantity else None
    if quantity is None or value is None:
        return None, None, None
    unit = quantity.text("unit") or quantity.text("code")
    comparator = quantity.code("comparator")
    text = number_text(value)
    return (text, value, unit) if comparator is None else (f"{comparator}{text}", None, unit)


def _between(node: Node | None) -> tuple[str | None, Decimal | None, str | None]:
    if node is None:
        return None, None, None
    pairs = (("low", "high", "–"), ("numerator", "denominator", ":"))
    for first, second, sign in pairs:
        ends = [_measured(node.node(name)) for name in (first, second)]
        if any(end[0] for end in ends):
            return sign.join(end[0] or "" for end in ends), None, ends[0][2] or ends[1][2]
    told = [node.code("start"), node.code("end")]
    return " – ".join(one or "" for one in told), None, None


def _described(name: str) -> TestResultArrival:
    return TestResultArrival(line=1, code=None, name=name[:_MOST_NAME], value_text=None, value=None, unit=None)


def _lines(results: list[TestResultArrival]) -> tuple[TestResultArrival, ...]:
    return tuple(replace(one, line=line) for line, one in enumerate(results, start=1))


def _category(resource: Node, *, has_values: bool) -> TestCategory:
    for concept in resource.nodes("category"):
        for coding in codings(concept):
            if (found := _CATEGORIES.get(coding.code.upper())) is not None:
                return found
    return TestCategory.LABORATORY if has_values else TestCategory.OTHER


def _noted(observations: Sequence[Node]) -> str | None:
    """Join the notes of observations; of several observations each is led by its name."""
    if len(observations) == 1:
        return notes_of(observations[0])
    noted = [(words_of(one.node("code")) or "-", text) for one in observations if (text := notes_of(one))]
    return "\n".join(dict.fromkeys(f"{name}: {text}" for name, text in noted)) or None


def _presented(resource: Node) -> str | None:
    """Return a report that was written as plain text; other forms stay in the message, and no address is opened."""
    texts = []
    for form in resource.nodes("presentedForm"):
        is_plain = (form.code("contentType") or "").lower().startswith("text/plain")
        if text := _plain_text(form) if is_plain else None:
            texts.append(text)
        else:
            form.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES)
    return "\n".join(dict.fromkeys(texts)) or notes_of(resource)


def _plain_text(form: Node) -> str | None:
    try:
        text = (
            base64.b64decode(form.text("data", longest=2 * LONGEST_TEXT) or "", validate=True).decode("utf-8").strip()
        )
    except (binascii.Error, ValueError):
        return None
    return None if "\x00" in text else text


def _joined(texts: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(text for text in texts if text)) or None
