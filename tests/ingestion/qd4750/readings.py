"""Read messages and look at what came out."""

from app.ingestion.qd4750 import Message, VisitReading, read_message
from app.ingestion.verdict import Effect
from app.records.arrivals import VisitArrival

Told = tuple[str, str | None, int | None, str | None]  # code, table, line, field


def only_visit(body: bytes) -> VisitReading:
    """Return the one visit of a message."""
    (visit,) = read_message(body).visits
    return visit


def only_arrival(body: bytes) -> VisitArrival:
    """Return the arrival of the one visit of a message, which must be accepted."""
    visit = only_visit(body)
    assert visit.arrival is not None, visit.problems
    return visit.arrival


def told(reading: VisitReading | Message, effect: Effect) -> list[Told]:
    """Return the problems of one effect, by code and place."""
    return [
        (problem.code, problem.table, problem.line, problem.field)
        for problem in reading.problems
        if problem.effect is effect
    ]
