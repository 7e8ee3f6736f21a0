"""One process whose clock jumps by an hour. Case B119 of the security page."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from libfaketime import get_reload_information

from app.core.clock import utc_now
from app.core.crypto import Place
from app.core.ids import new_id
from app.core.settings import Settings
from app.demo.phone import Phone
from app.identity import totp
from app.identity.jwk import thumbprint_bytes
from tests.identity.holding import STEP_UP
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE, free_port

SECRET = b"s" * totp.SECRET_BYTES
HOUR = 3600
ME = {"query": "{ me { id } }"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumping:
    """An API whose clock a file sets, and one person with a factor."""

    url: str
    clock: Path
    token: str
    phone: Phone
    bound_token: str

    def jump(self, seconds: int) -> None:
        """Set its clock so far ahead, or back, and see that it goes so."""
        self.clock.write_text(f"{seconds:+d}", encoding="ascii")
        give_up_at = time.monotonic() + PATIENCE
        while abs((self.present() - utc_now()).total_seconds() - seconds) > 5:
            assert time.monotonic() < give_up_at, "the clock did not jump"
            time.sleep(0.1)

    def present(self) -> datetime:
        """Return what the process takes for the present."""
        return parsedate_to_datetime(httpx.get(f"{self.url}/livez", timeout=PATIENCE).headers["date"])

    def step_up(self, code: str) -> str:
        body = {"query": STEP_UP, "variables": {"a": "SHARE", "c": code}}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer: dict[str, Any] = httpx.post(f"{self.url}/graphql", json=body, headers=headers, timeout=PATIENCE).json()
        return "OK" if answer["data"] else str(answer["errors"][0]["extensions"]["code"])

    def ask(self, proof: str) -> int:
        headers = {"Authorization": f"DPoP {self.bound_token}", "DPoP": proof}
        return httpx.post(f"{self.url}/graphql", json=ME, headers=headers, timeout=PATIENCE).status_code


@pytest.fixture(scope="module")
def jumping(settings: Settings, stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jumping]:
    assert stand.file(messages.message(), token=stand.facility()) == "filed"
    citizen = stand.citizen_by(messages.VISIT["SO_CCCD"] or "")
    factor = new_id(now=utc_now())
    stand.as_owner(
        "INSERT INTO auth.factor (id, citizen_id, sealed, added_at, confirmed_at, last_step, failures, day_failures, "
        "day_began_at) VALUES (:id, :citizen, :sealed, now(), now(), 0, 0, 0, now())",
        id=factor,
        citizen=citizen,
        sealed=stand.vault.sealer.seal(SECRET, place=Place(table="auth.factor", column="sealed", row_id=factor)),
    )
    port, clock = free_port(), tmp_path_factory.mktemp("jumping") / "clock"
    phone, bound = Phone(server=f"http://127.0.0.1:{port}", redirect_uri=""), stand.citizen_token(citizen)
    stand.as_owner(
        "UPDATE auth.session SET key_thumbprint = :key WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        key=thumbprint_bytes(phone.key),
        token=bound,
    )
    clock.write_text("+0", encoding="ascii")
    with _Serving(settings, clock=clock, port=port):
        yield Jumping(url=phone.server, clock=clock, token=stand.citizen_token(citizen), phone=phone, bound_token=bound)


class _Serving:
    """A process of the API, with a clock that is not the machine's."""

    def __init__(self, settings: Settings, *, clock: Path, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        _, preload = get_reload_information()
        self._variables = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "SOKHOE_DATA": str(clock.parent),
            "SOKHOE_DATABASE_URL": settings.database_url,
            "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
            "SOKHOE_DEMO": "true",
            "SOKHOE_PUBLIC_URL": self._url,
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            **preload,
        }
        self._command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
        self._log = clock.with_name("api.log")

    def __enter__(self) -> None:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, env=self._variables, cwd=self._log.parent, stdout=log, stderr=log
            )
        give_up_at = time.monotonic() + PATIENCE
        while True:
            try:
                if httpx.get(f"{self._url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise AssertionError(self._log.read_text(encoding="utf-8"))
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)


def test_b119_no_code_is_accepted_twice_however_the_clock_jumps(jumping: Jumping) -> None:
    jumping.jump(0)
    while time.time() % 30 > 15:
        time.sleep(0.2)
    seconds = time.time()
    before, present = (totp.code_at(SECRET, seconds=seconds + 30 * steps) for steps in (-1, 0))
    hours = [totp.code_at(SECRET, seconds=seconds + jump) for jump in (HOUR, -HOUR)]

    assert jumping.step_up(before) == "OK"
    jumping.jump(HOUR)
    assert [jumping.step_up(code) for code in (before, hours[0], present)] == ["REFUSED", "REFUSED", "OK"]
    jumping.jump(-HOUR)
    assert [jumping.step_up(code) for code in (before, present, hours[1])] == ["REFUSED"] * 3
    jumping.jump(0)
    assert jumping.step_up(present) == "REFUSED"


def test_b54_no_proof_is_accepted_twice_however_the_clock_jumps(jumping: Jumping) -> None:
    jumping.jump(0)
    address = f"{jumping.url}/graphql"
    with httpx.Client(timeout=PATIENCE) as http:
        nonce = http.post(
            address,
            json=ME,
            headers={
                "Authorization": f"DPoP {jumping.bound_token}",
                "DPoP": jumping.phone.proof(address, nonce=None, access_token=jumping.bound_token),
            },
        ).headers["dpop-nonce"]
    proof = jumping.phone.proof(address, nonce=nonce, access_token=jumping.bound_token)

    assert jumping.ask(proof) == 200
    for seconds in (HOUR, -HOUR, 0):
        jumping.jump(seconds)
        assert jumping.ask(proof) == 401
