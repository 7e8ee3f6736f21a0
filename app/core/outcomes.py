"""What FHIR clients are told: OperationOutcome.

Source: FHIR R4 OperationOutcome, IssueType, IssueSeverity.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.core.errors import ErrorCode, Text

FHIR_JSON: Final = "application/fhir+json"
ERROR_CODES: Final = "urn:sokhoe:error-code"
_TYPES: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.UNAUTHENTICATED: "login",
    ErrorCode.NOT_FOUND: "not-found",
    ErrorCode.STEP_UP_REQUIRED: "forbidden",
    ErrorCode.REFUSED: "forbidden",
    ErrorCode.INVALID: "invalid",
    ErrorCode.TOO_COMPLEX: "too-costly",
    ErrorCode.RATE_LIMITED: "throttled",
    ErrorCode.CONFLICT: "conflict",
    ErrorCode.UPGRADE_REQUIRED: "not-supported",
    ErrorCode.UNAVAILABLE: "transient",
    ErrorCode.INTERNAL: "exception",
}


def issue(
    *, severity: str, kind: str, code: str, text: str, expression: Sequence[str] = (), diagnostics: str | None = None
) -> dict[str, Any]:
    """Return one issue; `code` is ours, `kind` one of IssueType."""
    return {
        "severity": severity,
        "code": kind,
        "details": {"coding": [{"system": ERROR_CODES, "code": code}], "text": text},
        **({} if diagnostics is None else {"diagnostics": diagnostics}),
        **({"expression": list(expression)} if expression else {}),
    }


def outcome(issues: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return an OperationOutcome; one without issues says that all is well."""
    well = issue(severity="information", kind="informational", code="OK", text="OK")
    return {"resourceType": "OperationOutcome", "issue": list(issues) or [well]}


def of_error(
    *, code: ErrorCode, text: Text, language: str, request_id: str, reason: str | None = None
) -> dict[str, Any]:
    """Return what an error is told as; `reason` is a second coding."""
    told = issue(
        severity="fatal" if code is ErrorCode.INTERNAL else "error",
        kind=_TYPES[code],
        code=code.value,
        text=text.in_language(language),
        diagnostics=f"requestId {request_id}",
    )
    if reason is not None:
        told["details"]["coding"].append({"system": ERROR_CODES, "code": reason})
    return outcome([told])
