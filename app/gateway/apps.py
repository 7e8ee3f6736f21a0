"""Which releases of an app, and which of their documents, are still served."""

import re
from datetime import datetime
from email.utils import format_datetime

from app.core.errors import Invalid, Text, UpgradeRequired
from app.gateway.trusted import TrustedOperation

_APP = re.compile(
    r"[A-Za-z][A-Za-z0-9_-]{0,30}/([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})"  # 1.4 is 1.4.0
    r"(?:[-+][0-9A-Za-z.+-]{1,40})?"  # a test build or its number, which says nothing of what is supported
)
_PARTS = 4


def check_app(header: str | None, *, oldest: str) -> None:
    """Check `Sokhoe-App: <platform>/<version>`; without the header there is nothing to check.

    :raises Invalid: when the header is malformed
    :raises UpgradeRequired: when the app is older than the oldest that is served
    """
    if header is None:
        return
    app = _APP.fullmatch(header)
    if app is None:
        raise Invalid(
            Text(
                "Sokhoe-App phải có dạng <nền tảng>/<phiên bản>, ví dụ android/1.4.0.",
                "Sokhoe-App must look like <platform>/<version>, for example android/1.4.0.",
            )
        )
    if _numbers(app[1]) < _numbers(oldest):
        raise UpgradeRequired


def _numbers(version: str) -> list[int]:
    numbers = [int(part) for part in version.split(".")]
    return numbers + [0] * (_PARTS - len(numbers))


def check_document(known: TrustedOperation, *, now: datetime) -> dict[str, str]:
    """Check that a document is still served; return the headers that announce its end. Source: RFC 8594.

    :raises UpgradeRequired: when its sunset, and the time of grace after it, are over
    """
    if known.is_over(now):
        raise UpgradeRequired(
            Text(
                "Phiên bản ứng dụng này không còn được hỗ trợ. Vui lòng cập nhật ứng dụng.",
                "This version of the app is not supported any more. Please update the app.",
            )
        )
    return {} if known.sunset_at is None else {"Sunset": format_datetime(known.sunset_at, usegmt=True)}
