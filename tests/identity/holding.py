"""A person with an authenticator."""

import base64
import time
from dataclasses import dataclass, field
from typing import Any

from app.core.ids import new_secret
from app.identity import totp
from tests.identity.signing_in import PHONES, Scene

ENROL = "mutation E($k: ID!) { enrolTotp(input: {idempotencyKey: $k}) { secret otpauthUri qrSvg } }"


CONFIRM = "mutation C($k: ID!, $c: String!) { confirmTotp(input: {idempotencyKey: $k, code: $c}) { recoveryCodes } }"


STEP_UP = "mutation S($a: StepUpAction!, $c: String!) { stepUp(input: {action: $a, code: $c}) { action until } }"


@dataclass(slots=True)
class Holder:
    """A person who is signed in, and their authenticator."""

    scene: Scene
    token: str
    secret: bytes = b""
    recovery_codes: list[str] = field(default_factory=list)

    def send(self, query: str, **variables: object) -> dict[str, Any]:
        with self.scene.browser() as http:
            body = {"query": query, "variables": variables}
            phone = PHONES[self.token]
            answer: dict[str, Any] = phone.send(http, "/graphql", access_token=self.token, json=body).json()
        return answer

    def code(self, *, steps: int = 0) -> str:
        """Return what the authenticator shows, some steps away; never in the last seconds of a step."""
        while time.time() % 30 > 26:
            time.sleep(0.2)
        return totp.code_at(self.secret, seconds=time.time() + 30 * steps)

    def enrol(self) -> None:
        told = self.send(ENROL, k=new_secret())["data"]["enrolTotp"]
        self.secret = base64.b32decode(told["secret"])
        confirmed = self.send(CONFIRM, k=new_secret(), c=self.code())
        self.recovery_codes = confirmed["data"]["confirmTotp"]["recoveryCodes"]
        self.forget_step()

    def forget_step(self) -> None:
        """Let the present code be one that was not used yet."""
        self.scene.stand.as_owner("UPDATE auth.factor SET last_step = 0")

    def step_up(self, code: str, action: str = "FACTORS") -> str:
        """Return `OK`, or the code of the refusal."""
        answer = self.send(STEP_UP, a=action, c=code)
        return "OK" if answer["data"] else str(answer["errors"][0]["extensions"]["code"])

    def factor(self, column: str) -> Any:
        return self.scene.stand.as_owner(f"SELECT {column} AS it FROM auth.factor")[0].it
