"""What a message comes to, and its receipt."""

import json

import pytest

from app.ingestion.verdict import (
    Effect,
    MessageStatus,
    Problem,
    RecordChange,
    RecordVerdict,
    VisitStatus,
    VisitVerdict,
    judged,
    message_status,
    verdict_body,
    visit_status,
)


def problem(effect: Effect) -> Problem:
    return Problem(code="X", effect=effect, vi="vi", en="en")


@pytest.mark.parametrize(
    ("effects", "status"),
    [
        ((), VisitStatus.FILED),
        ((Effect.NOTES, Effect.WARNS), VisitStatus.FILED),
        ((Effect.WARNS, Effect.QUARANTINES), VisitStatus.QUARANTINED),
        ((Effect.QUARANTINES, Effect.REJECTS, Effect.WARNS), VisitStatus.REJECTED),
    ],
)
def test_the_strongest_effect_decides_over_a_visit(effects: tuple[Effect, ...], status: VisitStatus) -> None:
    assert visit_status(map(problem, effects)) is status


@pytest.mark.parametrize(
    ("visits", "envelope", "status"),
    [
        ((VisitStatus.FILED, VisitStatus.FILED), (), MessageStatus.FILED),
        ((VisitStatus.FILED, VisitStatus.REJECTED), (Effect.WARNS,), MessageStatus.PARTLY),
        ((VisitStatus.QUARANTINED, VisitStatus.REJECTED), (), MessageStatus.QUARANTINED),
        ((VisitStatus.QUARANTINED,), (), MessageStatus.QUARANTINED),
        ((VisitStatus.REJECTED, VisitStatus.REJECTED), (), MessageStatus.REJECTED),
        ((VisitStatus.FILED,), (Effect.REJECTS,), MessageStatus.REJECTED),
        ((), (Effect.REJECTS,), MessageStatus.REJECTED),
    ],
)
def test_a_message_is_what_its_visits_are(
    visits: tuple[VisitStatus, ...], envelope: tuple[Effect, ...], status: MessageStatus
) -> None:
    assert message_status(visits=visits, problems=map(problem, envelope)) is status


def test_a_receipt_is_json_with_every_place() -> None:
    told = Problem(
        code="FIELD_TOO_LONG",
        effect=Effect.WARNS,
        vi="dài",
        en="long",
        visit="LK1",
        table="XML2",
        line=3,
        field="F",
    )
    visit = VisitVerdict(
        visit="LK1",
        status=VisitStatus.FILED,
        records=(RecordVerdict(kind="VISIT", key="LK1", change=RecordChange.ADDED),),
        problems=(told,),
        tables_kept=("XML7",),
    )

    body = json.loads(json.dumps(verdict_body(judged(visits=(visit,), problems=(problem(Effect.WARNS),)))))

    assert body["status"] == "filed"
    assert body["problems"] == [{"code": "X", "effect": "WARNS", "vi": "vi", "en": "en"}]
    assert body["visits"] == [
        {
            "visit": "LK1",
            "status": "filed",
            "records": [{"kind": "VISIT", "key": "LK1", "change": "added"}],
            "tablesKept": ["XML7"],
            "problems": [
                {
                    "code": "FIELD_TOO_LONG",
                    "effect": "WARNS",
                    "visit": "LK1",
                    "table": "XML2",
                    "line": 3,
                    "field": "F",
                    "vi": "dài",
                    "en": "long",
                }
            ],
        }
    ]
