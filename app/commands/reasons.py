"""Why a command could not do it, in both languages, with what to do: for what an operator meets, not for defects."""

import os
from collections.abc import Mapping

import asyncpg

from app.audit.kept import LogCut
from app.core.crypto import KeyFileError
from app.core.errors import AppError, NotInstallable, Text, Unavailable
from app.core.logins import SecretMissing
from app.core.marks import OtherKeys
from app.core.revision import DatabaseBehind

_UNREACHED = Text(
    "Không kết nối được PostgreSQL ({kind}). Hãy kiểm tra SOKHOE_DATABASE_URL và tệp mật khẩu.",
    "PostgreSQL cannot be reached ({kind}). Check SOKHOE_DATABASE_URL and the password files.",
)
_NO_DATABASE = Text(
    "Máy chủ PostgreSQL không có cơ sở dữ liệu mà SOKHOE_DATABASE_URL nêu. "
    "Hãy sửa tên, hoặc tạo cơ sở dữ liệu rồi chạy infra/postgres/set-up.sh và `sokhoe migrate`.",
    "The PostgreSQL server has no database of the name in SOKHOE_DATABASE_URL. "
    "Correct the name, or create it, then run infra/postgres/set-up.sh and `sokhoe migrate`.",
)
_NOT_INSTALLED = Text(
    "Cơ sở dữ liệu chưa được cài đặt cho bản này ({kind}). Hãy chạy `sokhoe migrate`; "
    "với cơ sở dữ liệu còn trống hoặc vừa phục hồi, chạy infra/postgres/set-up.sh trước.",
    "The database lacks what this release needs ({kind}). Run `sokhoe migrate`; "
    "where it is empty or was just restored, infra/postgres/set-up.sh first.",
)
_CANNOT_NOW = Text(
    "PostgreSQL hiện không làm được ({kind}); nhật ký của PostgreSQL nêu lý do. Không có gì bị thay đổi dở dang.",
    "PostgreSQL cannot do it now ({kind}); its own log says why. Nothing was changed by half.",
)
_SECRET = Text(
    "Tệp bí mật trong {folder} bị thiếu hoặc hỏng: {said}. Cài đặt mới: python3 infra/make_secrets.py {folder}; "
    "cài đặt đã có dữ liệu: lấy lại các tệp *.keys từ bản sao lưu.",
    "A secret file in {folder} is missing or damaged: {said}. A new installation: "
    "python3 infra/make_secrets.py {folder}; where there is data, bring the *.keys back from their backup.",
)
_BEHIND = Text(
    "Cơ sở dữ liệu cũ hơn bản này ({said}). Hãy chạy `sokhoe migrate` trước.",
    "The database is older than this release ({said}). Run `sokhoe migrate` first.",
)
_LOG_CUT = Text(
    "Nhật ký trong cơ sở dữ liệu thiếu những gì đã niêm phong ({said}). Sau khi khôi phục bản sao lưu cũ hơn, nhật ký "
    "tiếp tục dưới tên mới: đặt SOKHOE_LOG_ORIGIN; xem infra/maintainer-guide.md.",
    "The log in the database lacks what was sealed ({said}). After the restore of an older backup the log goes on "
    "under a new name: set SOKHOE_LOG_ORIGIN; see infra/maintainer-guide.md.",
)
_OTHER_KEYS = Text(
    "Tệp khóa trong {folder} không phải của cơ sở dữ liệu này: thiếu khóa mà dữ liệu đã dùng, {said}. "
    "Hãy lấy lại đúng tệp từ bản sao lưu của bản cài đặt này. Chỉ khi khóa đã mất hẳn: `{way_out}`.",
    "The key files in {folder} are not this database's: the data was made with a key that is missing, {said}. "
    "Bring that file back from this installation's own backup. Only where the key is lost: `{way_out}`.",
)

_BY_SQLSTATE: Mapping[str, Text] = {
    "3D000": _NO_DATABASE,
    "3F000": _NOT_INSTALLED,  # no such schema
    "42501": _NOT_INSTALLED,  # no right: nothing was granted yet
    "42703": _NOT_INSTALLED,  # no such column
    "42883": _NOT_INSTALLED,  # no such function
    "42P01": _NOT_INSTALLED,  # no such table
}
_BY_CLASS: Mapping[str, Text] = {
    "08": _UNREACHED,
    "25": _CANNOT_NOW,  # read-only: a standby
    "28": _UNREACHED,
    "53": _CANNOT_NOW,  # disk or memory is full, too many connections
    "57": _CANNOT_NOW,  # starting, stopping, too slow
    "58": _CANNOT_NOW,  # a file cannot be read or written
}


def reason_of(error: BaseException) -> Text | None:
    """Return why it failed; nothing where that is a defect, whose traceback is wanted."""
    if isinstance(error, AppError) and not (isinstance(error, Unavailable) and _beneath(error) is not error):
        return error.text
    if isinstance(error, NotInstallable):
        return Text(f"{error.told.vi} {error}", f"{error.told.en} {error}")
    if isinstance(error, SecretMissing | KeyFileError):
        folder = os.environ.get("SOKHOE_SECRETS_DIR", "SOKHOE_SECRETS_DIR")
        return Text(_SECRET.vi.format(folder=folder, said=error), _SECRET.en.format(folder=folder, said=error))
    if isinstance(error, DatabaseBehind | LogCut):
        told = _LOG_CUT if isinstance(error, LogCut) else _BEHIND
        return Text(told.vi.format(said=error), told.en.format(said=error))
    if isinstance(error, OtherKeys):
        folder = os.environ.get("SOKHOE_SECRETS_DIR", "SOKHOE_SECRETS_DIR")
        filled = {"folder": folder, "said": error, "way_out": error.way_out}
        return Text(_OTHER_KEYS.vi.format(**filled), _OTHER_KEYS.en.format(**filled))
    return _of_database(_beneath(error)) or (error.text if isinstance(error, AppError) else None)


def _of_database(error: BaseException) -> Text | None:
    if isinstance(error, asyncpg.PostgresError):
        state = str(error.sqlstate)
        told = _BY_SQLSTATE.get(state) or _BY_CLASS.get(state[:2])
    else:
        told = _UNREACHED if isinstance(error, OSError | asyncpg.InterfaceError) else None
    if told is None:
        return None
    kind = type(error).__name__
    return Text(told.vi.format(kind=kind), told.en.format(kind=kind))


def _beneath(error: BaseException) -> BaseException:
    """Return what a library's errors were made of: the driver's own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
