"""How a doctor asks for a book or opens it in an emergency, what a grant may name, and what is seen then."""

from typing import Any

from tests.sharing.conftest import OWNER
from tests.sharing.sharing import (
    ALL_SECTIONS,
    SHARED,
    WHOLE,
    Clinic,
    a_key,
)

REASON = "Bệnh nhân hôn mê, không có người nhà đi cùng"


def seen(clinic: Clinic, doctor: str, grant: str) -> str:
    """Return the code of the refusal, or OK."""
    body = clinic.ask(doctor, SHARED, grant=grant).json()
    return str(body["errors"][0]["extensions"]["code"]) if "errors" in body else "OK"


def request(personal_id: str, **more: Any) -> dict[str, Any]:
    return {
        "idempotencyKey": a_key(),
        "personalId": personal_id,
        "facilityCode": "01901",
        "purpose": "SECOND_OPINION",
        "scope": {"sections": ["VISITS", "TEST_RESULTS"]},
        "accessMinutes": 60,
        **more,
    }


def emergency(personal_id: str = OWNER.personal_id, **more: Any) -> dict[str, Any]:
    return {"idempotencyKey": a_key(), "personalId": personal_id, "facilityCode": "01901", "reason": REASON, **more}


SCOPES: list[dict[str, Any]] = [
    *({"sections": [section]} for section in ALL_SECTIONS),
    WHOLE,
    {**WHOLE, "from": "2026-11-20"},
    {**WHOLE, "to": "2026-11-19"},
    {**WHOLE, "facilityCodes": ["01901", "01902"]},
    {**WHOLE, "facilityCodes": ["01902"], "sensitive": ["HIV", "VIOLENCE"]},
    {"sections": ["PRESCRIPTIONS", "CONDITIONS"], "from": "2020-01-01", "to": "2030-01-01", "sensitive": ["HIV"]},
]
