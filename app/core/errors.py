"""The one error tree.

AppError
├── Unauthenticated    no live session, or a bad assertion
├── NotFound           absent and forbidden look alike
├── StepUpRequired
│   └── SignInAgain    no factor helps: the identity provider must prove the person anew
├── Refused            a rule says no, whatever the reason
│   └── LevelTooLow    the person's own account is not proofed enough for a book
├── Invalid            names place and reason
├── TooComplex
├── RateLimited        with the seconds to wait
├── Conflict
├── UpgradeRequired
└── Unavailable
Anything else is INTERNAL and a request id.

Three faces: GraphQL `extensions.code`, RFC 9457 problem+json, FHIR OperationOutcome (gateway.problems).
An error carries texts in both languages that never hold health data or a person's data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Closed list, published in the SDL."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"
    REFUSED = "REFUSED"
    INVALID = "INVALID"
    TOO_COMPLEX = "TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    CONFLICT = "CONFLICT"
    UPGRADE_REQUIRED = "UPGRADE_REQUIRED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages."""

    vi: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the sentence for `vi` or `en`."""
        return self.en if language == "en" else self.vi


class NotInstallable(Exception):
    """A part of this release cannot run on this database; the message names it and says why. For operators alone."""

    told: Text


class AppError(Exception):
    """An expected error: stable code, HTTP status, safe text."""

    code: ErrorCode
    http_status: int
    default_text: Text
    reason_code: str | None = None
    """The exact reason, of a closed list, where the surface has one: a program may switch on it."""
    retry_after_seconds: int | None = None
    """When to come back, where coming back helps."""

    def __init__(
        self,
        text: Text | None = None,
        *,
        retry_after_seconds: int | None = None,
        places: Sequence[tuple[int, int]] = (),
    ) -> None:
        """`places` are lines and columns of the document that was sent, from 1."""
        self.text = text or self.default_text
        self.places = tuple(places)
        if retry_after_seconds is not None:
            self.retry_after_seconds = retry_after_seconds
        super().__init__(self.text.en)


class Unauthenticated(AppError):
    """No live session stands behind the request."""

    code = ErrorCode.UNAUTHENTICATED
    http_status = 401
    #: What WWW-Authenticate says. Source: RFC 6750 section 3.
    challenge = 'Bearer error="invalid_token"'
    default_text = Text(
        "Phiên đăng nhập không còn hiệu lực. Vui lòng đăng nhập lại.",
        "The session is not valid any more. Please sign in again.",
    )


class NotFound(AppError):
    """The thing is absent, or is not this viewer's: both look alike."""

    code = ErrorCode.NOT_FOUND
    http_status = 404
    default_text = Text("Không tìm thấy.", "Not found.")


class StepUpRequired(AppError):
    """The action asks for a fresh second factor."""

    code = ErrorCode.STEP_UP_REQUIRED
    http_status = 403
    default_text = Text("Cần xác thực lại bằng mã một lần.", "A fresh second factor is needed.")


class SignInAgain(StepUpRequired):
    """A factor is not enough, or there is none: the person must be proved by the identity provider anew."""

    default_text = Text(
        "Vui lòng đăng nhập lại qua nhà cung cấp định danh rồi thực hiện bước này ngay sau đó.",
        "Please sign in through the identity provider again, and do this right after it.",
    )


class Refused(AppError):
    """A rule says no; the reason is not told."""

    code = ErrorCode.REFUSED
    http_status = 403
    default_text = Text("Yêu cầu không được chấp nhận.", "The request was refused.")


class LevelTooLow(Refused):
    """The session is alive, but its person's account is below the level of a book: signing in again does not help."""

    default_text = Text(
        "Tài khoản định danh của bạn chưa đạt mức độ 2 nên chưa mở được sổ sức khỏe. "
        "Hãy nâng mức tài khoản rồi đăng nhập lại.",
        "Your identity account is below level 2, which a health book needs. Upgrade the account, then sign in again.",
    )


class Invalid(AppError):
    """The request itself is wrong; the text names place and reason."""

    code = ErrorCode.INVALID
    http_status = 400
    default_text = Text("Yêu cầu không hợp lệ.", "The request is not valid.")


class TooLarge(Invalid):
    """The body is longer than the surface accepts."""

    http_status = 413
    default_text = Text("Nội dung gửi lên quá lớn.", "The body is too large.")


class UnsupportedMediaType(Invalid):
    """The body is of another kind than the surface reads."""

    http_status = 415
    default_text = Text("Kiểu nội dung không được hỗ trợ.", "The content type is not supported.")


class TooComplex(AppError):
    """The operation would cost more than one request may."""

    code = ErrorCode.TOO_COMPLEX
    http_status = 400
    default_text = Text("Truy vấn quá phức tạp.", "The operation is too complex.")


class RateLimited(AppError):
    """Too many requests; `retry_after_seconds` tells when to come back."""

    code = ErrorCode.RATE_LIMITED
    http_status = 429
    default_text = Text("Quá nhiều yêu cầu. Vui lòng thử lại sau.", "Too many requests. Please try again later.")


class Conflict(AppError):
    """The request contradicts an earlier one."""

    code = ErrorCode.CONFLICT
    http_status = 409
    default_text = Text("Yêu cầu mâu thuẫn với một yêu cầu trước.", "The request contradicts an earlier one.")


class UpgradeRequired(AppError):
    """The app is older than the oldest supported version."""

    code = ErrorCode.UPGRADE_REQUIRED
    http_status = 426
    default_text = Text("Vui lòng cập nhật ứng dụng.", "Please update the app.")


class Unavailable(AppError):
    """A part that is needed does not answer; nothing was changed."""

    code = ErrorCode.UNAVAILABLE
    http_status = 503
    retry_after_seconds = 5
    default_text = Text(
        "Hệ thống đang bận. Vui lòng thử lại sau ít phút.", "The service is busy. Please try again soon."
    )


class TooSlow(Unavailable):
    """A statement took longer than it may; nothing was changed. Another try may take as long."""
