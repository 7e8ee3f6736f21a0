"""Procedure with the ServiceRequest behind it: what was done at a visit."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from app.ingestion.fhir.bundle import Bundle
from app.ingestion.fhir.nodes import Moment, Node, codings, words_of
from app.ingestion.fhir.systems import best_code, code_in
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.arrivals import ServiceArrival

_NOTHING: Final = Decimal(0)
_ONCE: Final = Decimal(1)
_SURGERY: Final = "8"
_OTHER: Final = "19"
_TIMES: Final = "lần"


def service(resource: Node, *, bundle: Bundle, line: int, otherwise_at: datetime | None) -> ServiceArrival | None:
    """Read a Procedure; it costs what the facility's output data says, for FHIR's Procedure has no price."""
    performed = _performed(resource)
    order = _order(resource, bundle)
    ordered = order.moment("authoredOn") if order else None
    at = ordered.at if ordered else performed.at if performed else otherwise_at
    concept = resource.node("code")
    name = words_of(concept)
    if name is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "code")
    if at is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "performed[x]")
    if name is None or at is None:
        return None
    category = codings(resource.node("category"))
    group = code_in(category, "ma-nhom") or (_SURGERY if any(one.code == "387713003" for one in category) else _OTHER)
    return ServiceArrival(
        line=line,
        group_code=group,
        code=best_code(codings(concept), "ma-dich-vu"),
        name=name,
        unit=_TIMES,
        quantity=_ONCE,
        unit_price=_NOTHING,
        amount=_NOTHING,
        insured_amount=_NOTHING,
        benefit_percent=None,
        ordered_at=at,
        performed_at=performed.at if performed else None,
    )


def _performed(resource: Node) -> Moment | None:
    period = resource.node("performedPeriod")
    return resource.moment("performedDateTime") or (period.moment("start") if period else None)


def _order(resource: Node, bundle: Bundle) -> Node | None:
    for reference in resource.nodes("basedOn"):
        found = bundle.resolve(reference, kinds=("ServiceRequest", "CarePlan"), of=resource)
        if isinstance(found, Node):
            return found
    return None
