"""T18: what a thief of the database's files, of its log or of a dump finds: no number that names a person."""

import base64
import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from app.core.crypto import Place, SealBroken, Vault, open_vault
from app.core.settings import Settings
from app.ingestion import qd4750
from app.records import filing
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.attacks.tries import run
from tests.conftest import Ground
from tests.people import Stand

TOLD, OTHER = Member(number=201), Member(number=202)
CANARY = Member(
    number=203,
    fields={
        "HO_TEN": "Canary Thị Kiểm Thử",
        "DIEN_THOAI": "0987650203",
        "DIA_CHI": "Số 203 ngõ Hoàng Yến, phường Canary",
        "MA_BN": "BN-CANARY-203",
        "MA_DKBD": "sai",  # so that a verdict is written with remarks about the card
    },
)
PLACED = {"auth.identifier": "sealed", "book.visit_insurance": "number_sealed"}


@dataclass(frozen=True, slots=True)
class Stolen:
    """All bytes that a thief has, by the name of the file, and what was put in."""

    dump: bytes
    files: dict[str, bytes]
    log: bytes
    body: bytes
    tokens: tuple[str, ...]

    def holding(self, what: bytes) -> list[str]:
        """Return the names of the places in which a text stands."""
        places = {"the dump": self.dump, "the log": self.log, **self.files}
        return [name for name, content in places.items() if what in content]


def spellings(text: str) -> Iterator[bytes]:
    """Yield a text as it stands in a dump: bare, in hexadecimal digits, and in base64 at each alignment."""
    plain = text.encode()
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield text.encode("utf-16-le")
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + plain)
        yield encoded[4 if before else 0 : len(encoded) - 4]


def dumped(ground: Ground, database: str) -> bytes:
    cluster = ground.cluster
    environment = {"PATH": os.defpath, "PGPASSWORD": cluster.superuser_password, "LC_ALL": "C"}
    command = [
        str(cluster.binaries.program("pg_dump")),
        "--host=127.0.0.1",
        f"--port={cluster.port}",
        "--username=postgres",
    ]
    done = subprocess.run([*command, database], check=True, capture_output=True, env=environment)
    return done.stdout


def files_of(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "postmaster.pid"
    }


@pytest.fixture(scope="module")
def stolen(ground: Ground, settings: Settings, stand: Stand) -> Stolen:
    sender = stand.facility()
    assert stand.file(message(TOLD, OTHER), token=sender) == "filed"
    body = message(CANARY)
    assert stand.file(body, token=sender) == "filed"
    wrong_name = Member(number=203, fields={**CANARY.fields, "HO_TEN": "Khác Hẳn"})
    assert stand.file(message(wrong_name, issued="20261121"), token=sender) == "quarantined"
    token = stand.citizen_token(stand.citizen_by(CANARY.personal_id))
    database = settings.database_url.rpartition("/")[2]
    dump = dumped(ground, database)
    ground.cluster.psql("CHECKPOINT", database)
    files = files_of(ground.cluster.pgdata)
    assert any(name.startswith("pg_wal/0") for name in files)
    return Stolen(dump, files, ground.cluster.log.read_bytes(), body, (sender, token))


def test_t18_the_search_finds_what_is_kept_in_plain_text(stolen: Stolen) -> None:
    """Names are not sealed: the same search must find one in the dump, in a table's file and in the WAL."""
    places = stolen.holding((CANARY.fields["HO_TEN"] or "").encode())
    assert "the dump" in places
    assert any(name.startswith("base/") for name in places)
    assert any(name.startswith("pg_wal/") for name in places)


@pytest.mark.parametrize("what", ["personal id", "card", "insurance number", "phone", "address", "patient number"])
def test_t18_no_number_stands_in_the_dump_the_files_or_the_log(stolen: Stolen, what: str) -> None:
    text = {
        "personal id": CANARY.personal_id,
        "card": CANARY.card,
        "insurance number": CANARY.card[-10:],
        "phone": CANARY.fields["DIEN_THOAI"] or "",
        "address": CANARY.fields["DIA_CHI"] or "",
        "patient number": CANARY.fields["MA_BN"] or "",
    }[what]
    assert text
    assert text.encode() in base64.b64decode(stolen.body.split(b"<NOIDUNGFILE>")[1].split(b"<")[0])
    assert {spelt: stolen.holding(spelt) for spelt in spellings(text) if stolen.holding(spelt)} == {}


def test_t18_no_part_of_a_message_stands_in_the_dump_the_files_or_the_log(stolen: Stolen) -> None:
    inner = stolen.body.split(b"<NOIDUNGFILE>")[1].split(b"<")[0]
    parts = [stolen.body[:60], inner[:60], inner[600:660], base64.b64decode(inner)[300:360]]
    for part in parts:
        for spelt in (part, part.hex().encode(), base64.b64encode(part)[:-4]):
            assert stolen.holding(spelt) == []


def test_t18_no_token_stands_in_the_dump_the_files_or_the_log(stolen: Stolen) -> None:
    for token in stolen.tokens:
        for spelt in spellings(token):
            assert stolen.holding(spelt) == []


def test_t18_the_keys_stand_nowhere_near_the_database(stolen: Stolen, settings: Settings) -> None:
    for file in settings.secrets_dir.glob("*.keys"):
        for line in file.read_text().split():
            key = line.partition(":")[2]
            for spelt in (key.encode(), bytes.fromhex(key), base64.b64encode(bytes.fromhex(key))[:-4]):
                assert stolen.holding(spelt) == []


def test_t18_a_plain_hash_of_a_number_stands_nowhere(stolen: Stolen) -> None:
    """Twelve digits can be tried through: an unkeyed hash would be as good as the number."""
    for number in (CANARY.personal_id, CANARY.card, CANARY.card[-10:]):
        for name in ("sha256", "sha1", "md5", "sha512"):
            digest = hashlib.new(name, number.encode()).digest()
            assert stolen.holding(digest) == []
            assert stolen.holding(digest.hex().encode()) == []


@pytest.mark.usefixtures("stolen")
def test_t18_a_records_digest_does_not_let_its_card_be_guessed(
    stand: Stand, ground: Ground, settings: Settings
) -> None:
    """All else that is digested stands in the dump: with an unkeyed number in it, ten digits would be tried through."""
    arrival = qd4750.read_message(message(TOLD)).visits[0].arrival
    assert arrival is not None

    async def kept() -> str:
        async with tries.as_superuser(ground, settings) as superuser:
            query = "SELECT encode(digest, 'hex') FROM book.visit WHERE source_id = $1"
            digest: str = await superuser.fetchval(query, TOLD.visit_id)
            return digest

    def digest(vault: Vault) -> str:
        columns = filing._visit_columns(arrival, vault=vault, new_id=lambda: UUID(int=0))
        return str(columns["digest"]).removeprefix("\\x")

    other_keys = Vault(
        sealer=stand.vault.sealer, index=type(stand.vault.index)({"k": bytes(32)}), derivation=stand.vault.derivation
    )
    assert digest(stand.vault) == run(kept)
    assert digest(other_keys) != run(kept)


def sealed_rows(ground: Ground, settings: Settings) -> list[tuple[str, str, UUID, bytes]]:
    async def look() -> list[tuple[str, str, UUID, bytes]]:
        async with tries.as_superuser(ground, settings) as superuser:
            return [
                (table, column, row["id"], row[column])
                for table, column in PLACED.items()
                for row in await superuser.fetch(f"SELECT id, {column} FROM {table}")
            ]

    return run(look)


@pytest.mark.usefixtures("stolen")
def test_t18_a_ciphertext_opens_in_its_own_place_only(ground: Ground, settings: Settings) -> None:
    vault = open_vault(settings.secrets_dir)
    rows = sealed_rows(ground, settings)
    assert len(rows) >= 9
    for table, column, row_id, _ in rows:
        for other_table, other_column, other_id, sealed in rows:
            place = Place(table=table, column=column, row_id=row_id)
            is_own = (table, column, row_id) == (other_table, other_column, other_id)
            if is_own:
                assert vault.sealer.open(sealed, place=place)
            else:
                with pytest.raises(SealBroken):
                    vault.sealer.open(sealed, place=place)


ASK = "{ healthBook { owner { nationalId } } me { ... on Citizen { nationalId } } }"


def ask(http: httpx.Client, token: str) -> httpx.Response:
    return http.post("/graphql", json={"query": ASK}, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.usefixtures("stolen")
@pytest.mark.parametrize("change", ["swapped", "flipped", "cut", "empty", "of another column"])
def test_t18_a_changed_ciphertext_is_a_defect_and_never_a_value(
    http: httpx.Client, stand: Stand, ground: Ground, settings: Settings, change: str
) -> None:
    citizen, other = stand.citizen_by(TOLD.personal_id), stand.citizen_by(OTHER.personal_id)
    token = stand.citizen_token(citizen)
    answer = ask(http, token)
    assert answer.status_code == 200
    assert answer.json()["data"]["healthBook"]["owner"]["nationalId"] == TOLD.personal_id
    own = "(SELECT sealed FROM auth.identifier WHERE citizen_id = $1 AND kind = 'PERSONAL_ID')"
    new = {
        "swapped": own.replace("$1", "$2"),
        "flipped": f"set_byte({own}, 20, get_byte({own}, 20) # 1)",
        "cut": f"substr({own}, 1, 20)",
        "empty": "''",
        "of another column": "(SELECT number_sealed FROM book.visit_insurance WHERE citizen_id = $1)",
    }[change]

    async def put(value: str, *arguments: object) -> bytes:
        async with tries.as_superuser(ground, settings) as superuser:
            before: bytes = await superuser.fetchval(f"SELECT {own}", citizen)
            await superuser.execute(
                f"UPDATE auth.identifier SET sealed = {value} WHERE citizen_id = $1 AND kind = 'PERSONAL_ID' "
                "AND $2::uuid IS NOT NULL",
                citizen,
                *arguments,
            )
            return before

    before = run(put, new, other)
    try:
        broken = ask(http, token)
    finally:
        run(put, "$3", other, before)
    assert broken.status_code == 500
    body = broken.json()
    assert set(body) == {"errors"}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL"]
    for number in (TOLD.personal_id, OTHER.personal_id, TOLD.card):
        assert number not in broken.text
    assert ask(http, token).json()["data"]["me"]["nationalId"] == TOLD.personal_id


@pytest.mark.usefixtures("stolen")
def test_t18_a_message_whose_bytes_were_changed_is_not_filed(stand: Stand, ground: Ground, settings: Settings) -> None:
    sender = stand.facility()
    kept = stand.keep(message(Member(number=204)), token=sender)
    twin = stand.keep(message(Member(number=205)), token=sender)

    async def swap() -> None:
        async with tries.as_superuser(ground, settings) as superuser:
            await superuser.execute(
                "UPDATE intake.message SET body = (SELECT body FROM intake.message WHERE id = $2) WHERE id = $1",
                kept,
                twin,
            )

    run(swap)
    with pytest.raises(SealBroken):
        stand.process(kept)
    assert stand.receipt(kept, token=sender).status == "received"
