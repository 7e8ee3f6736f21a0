"""The wheel that starts everything: the right file, or none."""

import base64
import hashlib
import json
import platform
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devkit.index import IndexSettings, NotFetched, Pin, fetch_wheel

WHEEL = b"the program"
OTHER = "uv-1.2.3-py3-none-win_amd64.whl"


def own_wheel() -> str:
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return f"uv-1.2.3-py3-none-macosx_11_0_{machine}.whl"
    return f"uv-1.2.3-py3-none-manylinux_2_17_{machine}.manylinux2014_{machine}.musllinux_1_1_{machine}.whl"


class FakeIndex(BaseHTTPRequestHandler):
    """A package index on loopback: `/json/` and `/html/` speak the two forms."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.seen.append(self.headers.get("Authorization"))
        if self.path.startswith("/files/"):
            self._answer("application/octet-stream", WHEEL)
        elif self.path == "/json/uv/":
            files = [{"filename": name, "url": f"/files/{name}"} for name in (OTHER, own_wheel())]
            self._answer("application/vnd.pypi.simple.v1+json", json.dumps({"files": files}).encode())
        elif self.path == "/html/uv/":
            links = "".join(f'<a href="../../files/{name}#sha256=0">{name}</a>' for name in (OTHER, own_wheel()))
            self._answer("text/html; charset=utf-8", links.encode())
        else:
            self.send_error(404)

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the library's name
        del format, args


class Server(ThreadingHTTPServer):
    """Notes what was sent along."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeIndex)
        self.seen: list[str | None] = []


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def pin(content: bytes = WHEEL) -> Pin:
    return Pin(name="uv", version="1.2.3", hashes=frozenset({hashlib.sha256(content).hexdigest()}))


def settings(url: str = "", *, find_links: tuple[str, ...] = (), offline: bool = False) -> IndexSettings:
    return IndexSettings(url=url, find_links=find_links, offline=offline, certificates="")


@pytest.mark.parametrize("form", ["json", "html"])
def test_wheel_of_this_machine_is_fetched(server: Server, form: str) -> None:
    index = f"http://127.0.0.1:{server.server_port}/{form}"

    assert fetch_wheel(pin(), settings(index)) == WHEEL


def test_password_in_the_address_becomes_a_header(server: Server) -> None:
    index = f"http://an:b%40c@127.0.0.1:{server.server_port}/json/"

    fetch_wheel(pin(), settings(index))

    assert server.seen[0] == "Basic " + base64.b64encode(b"an:b@c").decode()


def test_other_bytes_are_refused(server: Server) -> None:
    index = f"http://127.0.0.1:{server.server_port}/json"

    with pytest.raises(NotFetched, match="another hash"):
        fetch_wheel(pin(b"what was meant"), settings(index))


def test_missing_package_is_told(server: Server) -> None:
    with pytest.raises(NotFetched, match="Not Found"):
        fetch_wheel(pin(), settings(f"http://127.0.0.1:{server.server_port}/nothing"))


def test_folder_of_wheels_goes_first(tmp_path: Path) -> None:
    (tmp_path / OTHER).write_bytes(b"for another machine")
    (tmp_path / own_wheel()).write_bytes(WHEEL)

    assert fetch_wheel(pin(), settings(find_links=(str(tmp_path),), offline=True)) == WHEEL
    with pytest.raises(NotFetched, match="no-index"):
        fetch_wheel(pin(), settings(offline=True))


def test_pip_settings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = http://mirror.example/simple\nfind-links = /a /b\n", encoding="utf-8")
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))

    of_the_file = IndexSettings.read()
    monkeypatch.setenv("PIP_INDEX_URL", "http://other.example/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    of_the_environment = IndexSettings.read()

    assert of_the_file.url == "http://mirror.example/simple"
    assert of_the_file.find_links == ("/a", "/b")
    assert not of_the_file.offline
    assert of_the_environment.url == "http://other.example/simple"
    assert of_the_environment.offline
