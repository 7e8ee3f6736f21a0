"""One-time codes by time: secrets, codes, recovery codes. Pure: no clock, no database.

Source: RFC 6238; RFC 4226; security.md E.4.
"""

import base64
import hmac
import re
from collections.abc import Callable
from typing import Final

import pyotp

from app.core.codes import BadCode, code_from, read_code, shown

SECRET_BYTES: Final = 20
STEP_SECONDS: Final = 30
#: The present step and the one before: a person types slowly. (ASVS 6.5.5 asks for the present one alone.)
STEPS: Final = (0, -1)
RECOVERY_CODES: Final = 10
ISSUER: Final = "Sổ Khỏe"
_CODE: Final = re.compile(r"[0-9]{6}\Z", re.ASCII)
_PURPOSE: Final = "recovery code"
_HASH_PURPOSE: Final = "recovery code hash"

Derive = Callable[..., str]
"""The server's HMAC over a purpose and texts."""


def is_code(typed: str) -> bool:
    """Tell whether somebody typed six ASCII digits."""
    return _CODE.match(typed) is not None


def matching_step(secret: bytes, typed: str, *, seconds: float) -> int | None:
    """Return the time step whose code was typed; none when it is of no accepted step."""
    if not is_code(typed):
        return None
    generator = pyotp.TOTP(base64.b32encode(secret).decode("ascii"))
    present = int(seconds // STEP_SECONDS)
    found = [present + back for back in STEPS if hmac.compare_digest(generator.generate_otp(present + back), typed)]
    return found[0] if found else None


def code_at(secret: bytes, *, seconds: float) -> str:
    """Return the code that an authenticator shows at a moment."""
    return pyotp.TOTP(base64.b32encode(secret).decode("ascii")).generate_otp(int(seconds // STEP_SECONDS))


def secret_from(material: bytes) -> bytes:
    """Return a factor's secret. Source: RFC 4226 section 4 (160 bits)."""
    return material[:SECRET_BYTES]


def otpauth_uri(secret: bytes, *, account: str) -> str:
    """Return what an authenticator app reads from a QR code; `account` tells one entry from another."""
    generator = pyotp.TOTP(base64.b32encode(secret).decode("ascii"))
    return str(generator.provisioning_uri(name=account, issuer_name=ISSUER))


def recovery_codes(factor: str, *, derive: Derive) -> tuple[str, ...]:
    """Return the recovery codes of a factor, as they are shown; they follow from its id and are stored nowhere."""
    texts = (derive(_PURPOSE, factor, str(number)) for number in range(RECOVERY_CODES))
    return tuple(shown(code_from(base64.urlsafe_b64decode(text + "="))) for text in texts)


def recovery_hash(factor: str, typed: str, *, derive: Derive) -> bytes | None:
    """Return what is stored of a recovery code: an HMAC; none when it is no code."""
    try:
        symbols = read_code(typed)
    except BadCode:
        return None
    return base64.urlsafe_b64decode(derive(_HASH_PURPOSE, factor, symbols) + "=")
