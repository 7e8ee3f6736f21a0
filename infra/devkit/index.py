"""Fetch one pinned wheel from a package index, with nothing but the standard library.

Which index: what the environment or pip's own settings say, else the public one. No file keeps its name.
"""

import base64
import configparser
import hashlib
import html.parser
import json
import os
import platform
import re
import ssl
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

PUBLIC = "pypi"
TIMEOUT_SECONDS = 60
CERTIFICATE_FILES = ("/etc/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt")


class NotFetched(Exception):
    """No index gave the wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """What pip would use. `url` is empty when nobody set one."""

    url: str
    find_links: tuple[str, ...]
    offline: bool
    certificates: str

    @classmethod
    def read(cls) -> "IndexSettings":
        """Read pip's variables, then pip's files."""
        files = configparser.RawConfigParser(strict=False)
        try:
            files.read(_pip_files(), encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            files.clear()

        def setting(name: str) -> str:
            variable = os.environ.get("PIP_" + name.upper().replace("-", "_"))
            if variable is not None:
                return variable
            return files.get("install", name, fallback="") or files.get("global", name, fallback="")

        return cls(
            url=setting("index-url"),
            find_links=tuple(setting("find-links").split()),
            offline=setting("no-index").lower() in {"1", "true", "yes", "on"},
            certificates=setting("cert") or os.environ.get("REQUESTS_CA_BUNDLE", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One line of a lock: a name, a version, and the hashes of the files that are trusted."""

    name: str
    version: str
    hashes: frozenset[str]

    @classmethod
    def read(cls, lock: Path) -> "Pin":
        """Read a lock of one package."""
        text = lock.read_text(encoding="utf-8")
        name, version = text.split(maxsplit=1)[0].split("==")
        return cls(name=name, version=version, hashes=frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", text)))

    def suits(self, filename: str) -> bool:
        """Tell whether a wheel's name is of this version and runs on this machine."""
        name = self.name.replace("-", "_")  # as files are named
        if not filename.startswith(f"{name}-{self.version}-") or not filename.endswith(".whl"):
            return False
        tags = filename.removesuffix(".whl").rpartition("-")[2]
        machine = platform.machine().lower()
        if sys.platform == "darwin":
            return "macosx" in tags and (machine in tags or "universal2" in tags)
        system = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
        return any(tag.startswith(system) and tag.endswith("_" + machine) for tag in tags.split("."))


def fetch_wheel(pin: Pin, settings: IndexSettings) -> bytes:
    """Return the bytes of the pin's wheel for this machine; bytes of another hash are refused.

    :raises NotFetched: when no place has it.
    """
    for place in settings.find_links:
        folder = Path(place.removeprefix("file://"))
        for file in sorted(folder.glob("*.whl")) if folder.is_dir() else ():
            if pin.suits(file.name):
                return _checked(pin, file.read_bytes(), file.name)
    if settings.offline:
        raise NotFetched("the settings forbid an index (no-index)")
    index = settings.url or os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    page = (index or f"https://{PUBLIC}.org/simple").rstrip("/") + f"/{pin.name}/"
    try:
        body, kind, address = _get(page, settings, accept="application/vnd.pypi.simple.v1+json, text/html;q=0.1")
        for filename, link in _links(body, kind):
            if pin.suits(filename):
                wheel, _, _ = _get(urllib.parse.urljoin(address, link), settings, accept="*/*")
                return _checked(pin, wheel, filename)
    except OSError as problem:
        raise NotFetched(f"no answer from the package index: {getattr(problem, 'reason', problem)}") from problem
    raise NotFetched(f"the package index has no {pin.name} {pin.version} for this machine")


def _checked(pin: Pin, wheel: bytes, filename: str) -> bytes:
    if hashlib.sha256(wheel).hexdigest() not in pin.hashes:
        raise NotFetched(f"{filename} is not the file that the lock names (another hash): refused")
    return wheel


def _get(address: str, settings: IndexSettings, *, accept: str) -> tuple[bytes, str, str]:
    """Return body, content type and final address. A name and password in the address become a header."""
    parts = urllib.parse.urlsplit(address)
    headers = {"Accept": accept}
    if parts.username:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        address = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    context = ssl.create_default_context()
    if settings.certificates and Path(settings.certificates).is_file():
        context.load_verify_locations(settings.certificates)
    elif not context.cert_store_stats()["x509_ca"]:
        for file in filter(os.path.exists, CERTIFICATE_FILES):
            context.load_verify_locations(file)
    if parts.scheme not in {"http", "https"}:
        raise NotFetched(f"the package index is of a kind that is not read here: {parts.scheme}")
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 — the scheme is checked
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310
        return answer.read(), answer.headers.get_content_type(), answer.geturl()


def _links(body: bytes, kind: str) -> list[tuple[str, str]]:
    if kind.endswith("json"):
        return [(file["filename"], file["url"]) for file in json.loads(body)["files"]]
    anchors = _Anchors()
    anchors.feed(body.decode())
    return anchors.found


class _Anchors(html.parser.HTMLParser):
    """The older form of the index: a page of links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link by the last part of its path."""
        link = dict(attrs).get("href")
        if tag == "a" and link:
            path = urllib.parse.urlsplit(link).path
            self.found.append((urllib.parse.unquote(path.rpartition("/")[2]), link))


def _pip_files() -> list[Path]:
    """Return pip's files; the later win. Source: pip documentation, "Configuration", "Location"."""
    if os.environ.get("PIP_CONFIG_FILE") == os.devnull:
        return []
    home = Path.home()
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    system = (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    if sys.platform == "darwin":
        system = ["/Library/Application Support"]
        own = home / "Library" / "Application Support" / "pip"
        config_home = own.parent if own.is_dir() else config_home
    files = [Path(folder, "pip", "pip.conf") for folder in reversed(system)]
    files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", config_home / "pip" / "pip.conf"]
    chosen = os.environ.get("PIP_CONFIG_FILE")
    return [*files, Path(chosen)] if chosen else files
