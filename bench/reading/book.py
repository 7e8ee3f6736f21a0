"""The measured database: the product's own migrations and operations, books filled by sets, a role for the peers."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import UUID

from app.core.clock import utc_now
from app.core.crypto import open_vault
from app.core.settings import Settings
from app.demo.phone import Phone
from app.gateway import deployment, plans, trusted
from app.gateway.plans import BOOK
from app.identity.dpop import nonces_at
from app.identity.jwk import thumbprint_bytes
from app.migrate import migrate
from bench.reading.machine import DATABASE_CORE, on_core
from devkit.credentials import LOGINS, make_secrets, prepare_database
from devkit.postgres import Cluster, temporary_cluster

BENCH = Path(__file__).parent.parent
DATABASE = "bench"
OF_DEPENDANT, SHARED = "OfDependant", "Shared"
"""Forms of a document: a parent asks for a child's book, a practitioner for one that a grant opens."""
USED_LOGINS = [login for login in LOGINS if login != "demo"]
SERVER_SETTINGS = {"shared_buffers": "2GB", "effective_cache_size": "6GB", "max_wal_size": "8GB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A citizen with a heavy book."""

    id: UUID
    token: str
    phone: Phone | None = None  # with the key that the token is bound to
    form: str = ""  # which form of a document they ask, and with which variables (JSON)
    variables: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A filled database and what reaches it."""

    cluster: Cluster
    settings: Settings
    folder: Path  # of this run: secrets, documents, requests, logs
    peer_url: str

    @property
    def documents(self) -> Path:
        """Return the folder that takes the place of `graphql/` for the measured API."""
        return self.folder / "graphql"

    def fill(self, *, first: int, last: int) -> None:
        """Add citizens by number and let PostgreSQL look at what it has."""
        self.cluster.psql(BENCH / "reading" / "fill.sql", DATABASE, variables={"first": str(first), "last": str(last)})
        self.cluster.psql("VACUUM (FREEZE, ANALYZE); CHECKPOINT;", DATABASE)

    def copied(self, name: str) -> "Book":
        """Return a copy of the database as it is now."""
        self.cluster.create_database(name, template=DATABASE)
        prepare_database(self.cluster, database=name, secrets_directory=self.settings.secrets_dir, logins=USED_LOGINS)
        address = f"postgresql://127.0.0.1:{self.cluster.port}/{name}"
        return replace(self, settings=self.settings.model_copy(update={"database_url": address}))

    def heavy(self) -> list[Person]:
        """Return the citizens with heavy books, in an order that has nothing to do with where they lie."""
        lines = self.cluster.psql("SELECT id, token FROM bench.person WHERE heavy ORDER BY hashint4(number)", DATABASE)
        return [Person(id=UUID(one), token=two) for one, two in (line.split("|") for line in lines.splitlines())]

    def bound(self, people: Sequence[Person]) -> list[Person]:
        """Give people a session each that is bound to a key of their own."""
        server = self.settings.public_url
        bound = [
            replace(one, token=f"bound-{one.token}", phone=Phone(server=server, redirect_uri="")) for one in people
        ]
        rows = ", ".join(
            f"(uuidv7(), sha256('{one.token}'), '{one.id}', '\\x{thumbprint_bytes(one.phone.key).hex()}', 2, now(), "
            "now() + interval '1 day')"
            for one in bound
            if one.phone is not None
        )
        columns = "id, token_hash, citizen_id, key_thumbprint, level, created_at, expires_at"
        self.cluster.psql(f"INSERT INTO auth.session ({columns}) VALUES {rows}", DATABASE)  # noqa: S608 - made above
        return bound

    def others(self) -> tuple[list[Person], list[Person]]:
        """Return parents and practitioners who may read a heavy book each; made at the first call."""
        if self.cluster.psql("SELECT to_regclass('bench.shared')", DATABASE).strip() == "":
            self.cluster.psql(BENCH / "reading" / "others.sql", DATABASE)
            self.cluster.psql("VACUUM (ANALYZE); CHECKPOINT;", DATABASE)
        asked = """SELECT p.id, parent.token, s.token, s.grant_id FROM bench.person p JOIN bench.shared s USING (number)
          JOIN bench.person parent ON parent.number = p.number + 1 ORDER BY hashint4(p.number)"""
        rows = [line.split("|") for line in self.cluster.psql(asked, DATABASE).splitlines()]
        parents = [
            Person(id=UUID(child), token=token, form=OF_DEPENDANT, variables=f'{{"citizenId":"{child}"}}')
            for child, token, _, _ in rows
        ]
        doctors = [
            Person(id=UUID(owner), token=token, form=SHARED, variables=f'{{"grantId":"{grant}"}}')
            for owner, _, token, grant in rows
        ]
        return parents, doctors

    def nonces(self) -> Callable[[], str]:
        """Return what tells the nonce that a proof holds now."""
        derive = open_vault(self.settings.secrets_dir).derivation.secret
        return lambda: nonces_at(utc_now(), derive=derive).current

    def postmaster(self) -> int:
        """Return the process of the server."""
        return int((self.cluster.pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])


@cache
def documents() -> dict[str, str]:
    """Return the bench's documents by name: those of its folder, and the forms in which others ask for a book."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted((BENCH / "operations").glob("*.graphql"))}
    for name, text in list(found.items()):
        own = f"query {name} {{\n  healthBook {{"
        for form, key, root in ((OF_DEPENDANT, "citizenId", "healthBook"), (SHARED, "grantId", "sharedHealthBook")):
            if text.startswith(own):
                asked = f"query {name}{form}(${key}: ID!) {{\n  {root}({key}: ${key}) {{"
                found[f"{name}{form}"] = text.replace(own, asked, 1)
    return found


def document_id(name: str) -> str:
    """Return the id of one of the bench's documents."""
    return trusted.document_id(documents()[name])


def call_of(name: str, *, bearer: str = "$1") -> str:
    """Return the call of the deployed function of one of the bench's documents."""
    operation = plans.trusted(document_id(name))
    if operation is None:
        raise LookupError(name)
    (part,) = operation.parts(BOOK)
    function = deployment.function_of(operation, part).name
    return f"SELECT etag, body FROM op.{function}({bearer}, NULL, NULL, NULL, 'vi')"  # noqa: S608 - names made by us


@contextmanager
def open_book() -> Iterator[Book]:
    """Give a database with the product in it, for as long as it is needed; it is filled by `fill`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sokhoe-bench-")))
        with on_core(DATABASE_CORE):
            cluster = stack.enter_context(temporary_cluster(settings=SERVER_SETTINGS))
        book = _made(cluster, folder)
        _publish(book)
        asyncio.run(migrate(book.settings, progress=lambda _step: None))
        cluster.psql(BENCH / "peers" / "role.sql", DATABASE)
        cluster.psql(f"ALTER ROLE peer PASSWORD '{urlsplit(book.peer_url).password}'", DATABASE)
        yield book


def _made(cluster: Cluster, folder: Path) -> Book:
    make_secrets(folder / "secrets", logins=USED_LOGINS)
    prepare_database(cluster, database=DATABASE, secrets_directory=folder / "secrets", logins=USED_LOGINS)
    address = f"127.0.0.1:{cluster.port}/{DATABASE}"
    return Book(
        cluster=cluster,
        settings=Settings(database_url=f"postgresql://{address}", secrets_dir=folder / "secrets"),
        folder=folder,
        peer_url=f"postgresql://peer:{secrets.token_hex(16)}@{address}",
    )


def _publish(book: Book) -> None:
    """Make a list of trusted operations of the bench's own documents, and let this process read it."""
    (book.documents / "operations").mkdir(parents=True)
    for name, text in documents().items():
        (book.documents / "operations" / f"{name}.graphql").write_text(text, encoding="utf-8")
    listed = [
        {"id": document_id(name), "file": f"{name}.graphql", "since": "2026-01-01", "sunset": None}
        for name in documents()
    ]
    (book.documents / "trusted.json").write_text(json.dumps(listed), encoding="utf-8")
    trusted.FOLDER = book.documents


def digest_of(*paths: Path) -> str:
    """Return a name for what stands in some files."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]
