"""One error tree, three faces. Anything that is not expected becomes INTERNAL and a request id."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.core.errors import AppError, ErrorCode, Invalid, Text, Unauthenticated
from app.core.outcomes import FHIR_JSON, of_error

PROBLEM_JSON = "application/problem+json"
FHIR_PATHS = ("/ingest/fhir",)
INTERNAL_TEXT = Text(
    "Có lỗi ở phía hệ thống. Vui lòng báo mã yêu cầu cho bộ phận hỗ trợ.",
    "Something went wrong on our side. Please give the request id to support.",
)
_BY_STATUS = {
    404: (ErrorCode.NOT_FOUND, Text("Không có đường dẫn này.", "There is no such path.")),
    405: (ErrorCode.INVALID, Text("Phương thức không được phép ở đường dẫn này.", "Method not allowed here.")),
}


def problem_body(
    *, code: ErrorCode, status: int, text: Text, language: str, request_id: str, reason: str | None = None
) -> dict[str, Any]:
    """Return RFC 9457 problem details; `title` is in the caller's language, both texts stand beside it."""
    return {
        "type": "about:blank",
        "title": text.in_language(language),
        "status": status,
        "code": code.value,
        **({} if reason is None else {"reason": reason}),
        "vi": text.vi,
        "en": text.en,
        "requestId": request_id,
    }


def headers_of(error: AppError) -> dict[str, str]:
    """Return the header fields that an error needs. Source: RFC 9110 §15.5.2, §10.2.3."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = error.challenge
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return headers


def problem_response(error: AppError, *, language: str, request_id: str, path: str = "") -> JSONResponse:
    """Return an expected error as problem+json; on FHIR's paths as OperationOutcome."""
    if path.startswith(FHIR_PATHS):
        told = of_error(
            code=error.code, text=error.text, language=language, request_id=request_id, reason=error.reason_code
        )
        return JSONResponse(told, status_code=error.http_status, media_type=FHIR_JSON, headers=headers_of(error))
    body = problem_body(
        code=error.code,
        status=error.http_status,
        text=error.text,
        language=language,
        request_id=request_id,
        reason=error.reason_code,
    )
    return JSONResponse(body, status_code=error.http_status, media_type=PROBLEM_JSON, headers=headers_of(error))


def internal_problem(*, language: str, request_id: str, path: str = "") -> JSONResponse:
    """Return what a client sees of a defect as problem+json; on FHIR's paths as OperationOutcome."""
    if path.startswith(FHIR_PATHS):
        told = of_error(code=ErrorCode.INTERNAL, text=INTERNAL_TEXT, language=language, request_id=request_id)
        return JSONResponse(told, status_code=500, media_type=FHIR_JSON)
    body = problem_body(
        code=ErrorCode.INTERNAL, status=500, text=INTERNAL_TEXT, language=language, request_id=request_id
    )
    return JSONResponse(body, status_code=500, media_type=PROBLEM_JSON)


def graphql_error(
    error: AppError,
    *,
    language: str,
    path: list[str | int] | None = None,
    places: Sequence[tuple[int, int]] = (),
) -> dict[str, Any]:
    """Return an expected error as an entry of `errors`; `places` are of its field, where the error knows none itself.

    Source: GraphQL specification, Errors.
    """
    extensions: dict[str, Any] = {"code": error.code.value}
    if error.retry_after_seconds is not None:
        extensions["retryAfterSeconds"] = error.retry_after_seconds
    entry: dict[str, Any] = {"message": error.text.in_language(language), "extensions": extensions}
    if error.places or places:
        entry["locations"] = [{"line": line, "column": column} for line, column in error.places or places]
    return entry if path is None else {**entry, "path": path}


def internal_graphql_error(
    *, language: str, request_id: str, path: Sequence[str | int] | None = None
) -> dict[str, Any]:
    """Return what a client sees of a defect."""
    extensions = {"code": ErrorCode.INTERNAL.value, "requestId": request_id}
    entry = {"message": INTERNAL_TEXT.in_language(language), "extensions": extensions}
    return entry if path is None else {**entry, "path": list(path)}


def install(app: FastAPI) -> None:
    """Give every error of every route its face."""

    @app.exception_handler(AppError)
    async def expected(request: Request, error: AppError) -> JSONResponse:
        return problem_response(
            error, language=request.state.language, request_id=request.state.request_id, path=request.url.path
        )

    @app.exception_handler(HTTPException)
    async def by_status(request: Request, error: HTTPException) -> JSONResponse:
        code, text = _BY_STATUS.get(error.status_code, (ErrorCode.INVALID, Text(error.detail, error.detail)))
        language, request_id = request.state.language, request.state.request_id
        if request.url.path.startswith(FHIR_PATHS):
            told = of_error(code=code, text=text, language=language, request_id=request_id)
            return JSONResponse(told, status_code=error.status_code, media_type=FHIR_JSON, headers=error.headers)
        body = problem_body(
            code=code,
            status=error.status_code,
            text=text,
            language=language,
            request_id=request_id,
        )
        return JSONResponse(body, status_code=error.status_code, media_type=PROBLEM_JSON, headers=error.headers)

    @app.exception_handler(Exception)
    async def defect(request: Request, _error: Exception) -> JSONResponse:  # the envelope reports it
        language, request_id = request.state.language, request.state.request_id
        return internal_problem(language=language, request_id=request_id, path=request.url.path)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        places = ", ".join(sorted({str(entry["loc"][-1]) for entry in error.errors()}))
        wrong = Invalid(Text(f"Tham số không hợp lệ: {places}.", f"Not a valid parameter: {places}."))
        return await expected(request, wrong)
