"""Which releases of an app are still served."""

import re

from app.core.errors import Invalid, Text, UpgradeRequired

_APP = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}/(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


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
    if tuple(map(int, app.groups())) < tuple(map(int, oldest.split("."))):
        raise UpgradeRequired
