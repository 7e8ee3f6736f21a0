"""How long a doctor waits for a share code to be redeemed, and whether a refusal tells by its time why.

    python3 dev.py bench sharing            (BENCH_REDEMPTIONS, 400; BENCH_SAMPLES of each kind, 2000 unless told)

Starts PostgreSQL with fsync and synchronous_commit on, and one API process. First codes are redeemed by so many doctors
at once as hashes are made at once (2; Argon2id, 19 MiB), over HTTP, by the released operation, with the book in the
answer; the first ones after the start count as the others do. Then codes that may not be redeemed are tried one after
the other, in an order drawn by lot: one that does not exist, one with a wrong PIN, codes that were used, cancelled and
are over, the doctor's own, and one asked for where the doctor does not work. Each kind is compared with the code that
does not exist: by the rank sum test of Mann and Whitney, and by its median (B100).
"""

import asyncio
import math
import os
import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx

from app.core.codes import code_from, shown
from app.core.crypto import Vault, open_vault
from app.core.ids import new_id, new_secret
from app.core.logins import Login, connect
from app.core.settings import Settings
from app.gateway.trusted import trusted_operations
from app.sharing import hashing
from bench.serving.programs import PORT, served

REDEMPTIONS = int(os.environ.get("BENCH_REDEMPTIONS", "400"))
SAMPLES = int(os.environ.get("BENCH_SAMPLES", "2000"))
FACILITY, ELSEWHERE = "01901", "01902"
DOCTORS = 200
BLOCK = 100  # tries of each kind before the counted ones are cleared: nobody is locked out
WANTED_MS, WANTED_DIFFERENCE_MS, WANTED_P = 300, 0.2, 0.01
KINDS = ("unknown", "wrong PIN", "used", "cancelled", "over", "own", "elsewhere")


_CITIZEN = """
WITH person AS (
  INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at)
  VALUES ($1::uuid, 'Bench', 'BENCH', '1980-01-01', 'DAY', 'FEMALE', now())),
shelf AS (INSERT INTO auth.book (citizen_id, changed_at) VALUES ($1::uuid, now()))
INSERT INTO auth.session (id, token_hash, citizen_id, level, created_at, expires_at)
VALUES ($1::uuid, sha256(uuid_send($1::uuid)), $1::uuid, 2, now(), now() + interval '1 day')"""
_DOCTOR = """
WITH doctor AS (
  INSERT INTO auth.practitioner (id, certificate, full_name, name_key, citizen_id, valid_from, registered_at)
  VALUES ($1::uuid, $1::uuid::text, 'Bench', 'BENCH', $4, '1990-01-01', now())),
works AS (INSERT INTO auth.practitioner_place VALUES ($1::uuid, $3, '1990-01-01', NULL))
INSERT INTO auth.session (id, token_hash, practitioner_id, created_at, expires_at)
VALUES ($1::uuid, sha256(convert_to($2, 'UTF8')), $1::uuid, now(), now() + interval '1 day')"""
_CODE = """
INSERT INTO auth.share_code (id, citizen_id, made_by, session_id, lookup, verifier, has_pin, purpose, scope,
                             access_minutes, created_at, redeemable_until, tries)
VALUES ($1, $2, $2, $2, $3, $4, true, 'TREATMENT', '{"sections": 1023, "sensitive": 0, "since": null, "until": null,
  "records": null, "facilities": null}', 60, now(), now() + interval '1 day', 0)"""
_MADE = {
    "used": "redeemed_at = now(), verifier = NULL",
    "cancelled": "cancelled_at = now(), verifier = NULL",
    "over": "redeemable_until = now() - interval '1 second'",
}
"""What a code became that nobody may redeem any more."""
_CLEAR = "WITH gone AS (DELETE FROM auth.share_try) UPDATE auth.share_code SET tries = 0 WHERE tries > 0"


class Ward:
    """A facility's doctors, and codes that citizens made."""

    def __init__(self, owner: "asyncpg.Connection[asyncpg.Record]", vault: Vault, http: httpx.AsyncClient) -> None:
        self.owner, self.vault, self.http = owner, vault, http
        self.tokens: list[str] = []
        self.people: list[UUID] = []  # the doctors, as citizens
        self.document = next(key for key, one in trusted_operations().items() if one.name == "RedeemShareCode")

    async def open(self) -> None:
        """Register the facility and its doctors."""
        await self.owner.execute("INSERT INTO directory.facility VALUES ($1, 'Bench', 'CENTRAL', now())", FACILITY)
        await self.owner.execute("UPDATE audit.tree SET sealed_at = now(), stop_after = '1 day'")
        self.tokens = [new_secret() for _ in range(DOCTORS)]
        self.people = await self._citizens(DOCTORS)
        rows = [(_id(), token, FACILITY, person) for token, person in zip(self.tokens, self.people, strict=True)]
        await self.owner.executemany(_DOCTOR, rows)

    async def _citizens(self, count: int) -> list[UUID]:
        people = [_id() for _ in range(count)]
        await self.owner.executemany(_CITIZEN, [(person,) for person in people])
        return people

    async def codes(
        self, count: int, *, proof: str | None = None, of: Sequence[UUID] | None = None
    ) -> list[tuple[str, UUID]]:
        """Make codes with the PIN 123456, each of a new citizen or `of` those; with `proof` any PIN is wrong."""
        people, made = of or await self._citizens(count), [code_from(os.urandom(6)) for _ in range(count)]
        rows = [
            (
                _id(),
                person,
                self.vault.index.of(code, kind="SHARE_CODE"),
                proof or await hashing.hashed(code + "123456"),
            )
            for person, code in zip(people, made, strict=True)
        ]
        await self.owner.executemany(_CODE, rows)
        return [(shown(code), row[0]) for code, row in zip(made, rows, strict=True)]

    async def redeem(self, code: str, *, doctor: int, facility: str = FACILITY) -> tuple[float, str]:
        """Try to redeem a code; returns the milliseconds, and the refusal or nothing."""
        asked = {
            "idempotencyKey": os.urandom(12).hex(),
            "code": code,
            "pin": "123456",
            "facilityCode": facility,
            "purpose": "TREATMENT",
        }
        body = {"documentId": self.document, "variables": {"input": asked}}
        headers = {"Authorization": f"Bearer {self.tokens[doctor % DOCTORS]}"}
        start = time.perf_counter()
        answer = await self.http.post("/graphql", json=body, headers=headers)
        took = (time.perf_counter() - start) * 1000
        errors = answer.json().get("errors")
        return took, errors[0]["extensions"]["code"] if errors else ""


def _id() -> UUID:
    return new_id(now=datetime.now(UTC))


async def _redemptions(ward: Ward) -> None:
    """Redeem codes, as many at once as hashes are made at once, and print how long it took."""
    codes = iter(enumerate(await ward.codes(REDEMPTIONS)))
    waits: list[float] = []

    async def one() -> None:
        for number, (code, _) in codes:
            took, refusal = await ward.redeem(code, doctor=number)
            if refusal:
                raise SystemExit(f"a code was not redeemed: {refusal}")
            waits.append(took)

    await asyncio.gather(*(one() for _ in range(hashing.AT_ONCE)))
    first = max(waits[: hashing.AT_ONCE])
    waits.sort()
    median, slow = statistics.median(waits), waits[int(len(waits) * 0.99)]
    print(f"{len(waits)} codes redeemed, {hashing.AT_ONCE} at once")
    print(f"redemption, the first after the start | {first:.1f} ms | {WANTED_MS / first:.2f} | against {WANTED_MS} ms")
    print(f"redemption, median | {median:.1f} ms | {WANTED_MS / median:.2f} | against {WANTED_MS} ms wanted")
    print(f"redemption, 99th percentile | {slow:.1f} ms | {WANTED_MS / slow:.2f} | against {WANTED_MS} ms wanted")


async def _refusals(ward: Ward) -> dict[str, list[float]]:
    """Return how long refusals of each kind took, in milliseconds."""
    proof = await hashing.hashed("another code and PIN")
    pinned = await ward.codes(BLOCK // 2, proof=proof)
    own = await ward.codes(DOCTORS, proof=proof, of=ward.people)
    over = dict(zip(_MADE, await ward.codes(len(_MADE), proof=proof), strict=True))
    for kind, (_, code_id) in over.items():
        await ward.owner.execute(f"UPDATE auth.share_code SET {_MADE[kind]} WHERE id = $1", code_id)  # noqa: S608
    waits: dict[str, list[float]] = {kind: [] for kind in KINDS}
    tried = 0
    while len(waits[KINDS[0]]) < SAMPLES:
        await ward.owner.execute(_CLEAR)
        for number in range(min(BLOCK, SAMPLES - len(waits[KINDS[0]]))):
            for kind in random.sample(KINDS, len(KINDS)):
                code = {
                    "unknown": shown(code_from(os.urandom(6))),
                    "wrong PIN": pinned[number % len(pinned)][0],
                    "elsewhere": pinned[number % len(pinned)][0],
                    "own": own[tried % DOCTORS][0],
                    **{name: code for name, (code, _) in over.items()},
                }[kind]
                facility = ELSEWHERE if kind == "elsewhere" else FACILITY
                took, refusal = await ward.redeem(code, doctor=tried, facility=facility)
                if refusal != "REFUSED":
                    raise SystemExit(f"{kind}: {refusal or 'it was redeemed'}")
                waits[kind].append(took)
                tried += 1
    return waits


def rank_sum(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the two-sided p of Mann and Whitney's test, by the normal approximation with ties."""
    every = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    ranks, ties, at = 0.0, 0.0, 0
    while at < len(every):
        end = at
        while end < len(every) and every[end][0] == every[at][0]:
            end += 1
        ranks += (at + end + 1) / 2 * sum(1 for _, side in every[at:end] if side == 0)
        ties += (end - at) ** 3 - (end - at)
        at = end
    n, m, total = len(left), len(right), len(every)
    spread = math.sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))))
    return math.erfc(abs(ranks - n * (n + 1) / 2 - n * m / 2) / spread / math.sqrt(2)) if spread else 1.0


def _compare(waits: dict[str, list[float]]) -> bool:
    """Print each kind beside the code that does not exist; tell whether none can be told from it by its time."""
    known = waits["unknown"]
    alike = True
    print(f"refusals, {len(known)} of each kind; unknown: median {statistics.median(known):.2f} ms")
    for kind in KINDS[1:]:
        p, apart = rank_sum(waits[kind], known), statistics.median(waits[kind]) - statistics.median(known)
        is_alike = p > WANTED_P or abs(apart) < WANTED_DIFFERENCE_MS
        alike = alike and is_alike
        print(
            f"refusal, {kind} | {apart:+.2f} ms, p = {p:.3f} | | "
            f"against {WANTED_DIFFERENCE_MS} ms or p > {WANTED_P}: {'alike' if is_alike else 'TOLD APART'}"
        )
    return alike


async def measure(settings: Settings) -> bool:
    """Redeem, refuse and print; tell whether refusals are alike."""
    owner = await connect(settings, Login.MIGRATOR)
    await owner.execute("SET ROLE auth_owner; SET statement_timeout = 0")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as http:
        ward = Ward(owner, open_vault(settings.secrets_dir), http)
        await ward.open()
        await _redemptions(ward)
        alike = _compare(await _refusals(ward))
    await owner.close()
    return alike


def main() -> int:
    """Run the bench on a server of its own."""
    with served(with_worker=False) as found:
        alike = asyncio.run(measure(found.settings))
    return 0 if alike else 1


if __name__ == "__main__":
    raise SystemExit(main())
