"""A receipt as FHIR clients read it: OperationOutcome, or the response to a transaction or batch."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.core.outcomes import issue, outcome
from app.ingestion.verdict import Effect, EntryOutcome, MessageStatus

_SEVERITIES: Final = {
    Effect.REJECTS: "error",
    Effect.QUARANTINES: "error",
    Effect.WARNS: "warning",
    Effect.NOTES: "information",
}
_KINDS: Final = {
    Effect.REJECTS: "invalid",
    Effect.QUARANTINES: "business-rule",
    Effect.WARNS: "value",
    Effect.NOTES: "informational",
}
_STATUSES: Final = {
    EntryOutcome.ADDED: "201 Created",
    EntryOutcome.REPLACED: "200 OK",
    EntryOutcome.UNCHANGED: "200 OK",
    EntryOutcome.OUTDATED: "200 OK",
    EntryOutcome.WITHDRAWN: "204 No Content",
    EntryOutcome.HELD_BACK: "202 Accepted",
    EntryOutcome.USED: "200 OK",
    EntryOutcome.IGNORED: "202 Accepted",
    EntryOutcome.QUARANTINED: "202 Accepted",
    EntryOutcome.REJECTED: "422 Unprocessable Entity",
    EntryOutcome.ACCEPTED: "200 OK",
}
_RESPONSES: Final = {"transaction": "transaction-response", "batch": "batch-response"}
_WELL: Final = frozenset({MessageStatus.RECEIVED, MessageStatus.FILED, MessageStatus.PARTLY})


def received(*, message_id: str, language: str) -> dict[str, Any]:
    """Tell that a message was kept, and where its receipt will stand."""
    place = f"/ingest/messages/{message_id}"
    text = f"Đã nhận; biên nhận ở {place}." if language == "vi" else f"Received; its receipt stands at {place}."
    told = issue(severity="information", kind="informational", code="RECEIVED", text=text, diagnostics=message_id)
    return outcome([told])


def answer(verdict: Mapping[str, Any], *, language: str) -> dict[str, Any]:
    """Return a receipt's verdict: the response to a transaction or batch, entry by entry, or an OperationOutcome."""
    problems = [
        *verdict.get("problems", ()),
        *(one for visit in verdict.get("visits", ()) for one in visit["problems"]),
    ]
    kind = _RESPONSES.get(verdict.get("bundle") or "")
    status = MessageStatus(verdict["status"])
    if kind is None or (kind == "transaction-response" and status not in _WELL):
        return outcome(_issues(problems, language=language))
    by_entry: dict[int | None, list[Mapping[str, Any]]] = {}
    for problem in problems:
        by_entry.setdefault(problem.get("entry"), []).append(problem)
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {
                "response": {
                    "status": _STATUSES[EntryOutcome(entry["outcome"])],
                    **_outcome_of(by_entry.get(entry["entry"], ()), language=language),
                }
            }
            for entry in verdict.get("entries", ())
        ],
    }


def _outcome_of(problems: Sequence[Mapping[str, Any]], *, language: str) -> dict[str, Any]:
    return {"outcome": outcome(_issues(problems, language=language))} if problems else {}


def _issues(problems: Sequence[Mapping[str, Any]], *, language: str) -> list[dict[str, Any]]:
    return [
        issue(
            severity=_SEVERITIES[Effect(problem["effect"])],
            kind=_KINDS[Effect(problem["effect"])],
            code=problem["code"],
            text=problem["en" if language == "en" else "vi"],
            expression=[problem["path"]] if "path" in problem else (),
        )
        for problem in problems
    ]
