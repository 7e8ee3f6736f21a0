"""GraphiQL: in demo mode alone, of pinned files, reaching nothing but this server."""

import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest

from app.core.settings import Settings
from app.gateway.explorer import FILES, FOLDER
from tests.conftest import RunningServer
from tests.sockets import PATIENCE

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
OURS = {"page.html", "page.css", "start.js"}


@pytest.fixture(scope="module")
def http(settings: Settings) -> Iterator[httpx.Client]:
    server = RunningServer(settings)
    server.start()
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client
    server.stop()


def test_a_browser_gets_the_page_and_everything_that_it_names(http: httpx.Client) -> None:
    page = http.get("/graphql", headers=BROWSER)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sorted(named) == sorted(["data:,", *(f"/graphiql/{name}" for name in FILES)])
    for name, media_type in FILES.items():
        file = http.get(f"/graphiql/{name}")
        assert (file.status_code, file.headers["content-type"]) == (200, media_type)
        assert file.content == (FOLDER / name).read_bytes()
        assert file.headers["x-content-type-options"] == "nosniff"


def test_the_page_runs_its_own_scripts_and_speaks_to_its_own_server_only(http: httpx.Client) -> None:
    policy = http.get("/graphql", headers=BROWSER).headers["content-security-policy"]

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["style-src"] == "'self'"
    for name in (*OURS, "graphiql.css"):
        assert not re.search(r"(?:https?:)?//[a-z]", (FOLDER / name).read_text(encoding="utf-8"))


def test_other_peoples_files_are_those_that_origin_tells() -> None:
    told = dict(re.findall(r"(?m)^\| `([\w.-]+)` \|.* `([0-9a-f]{64})` \|$", (FOLDER / "ORIGIN.md").read_text("utf-8")))

    assert set(told) == set(FILES) - OURS
    for name, digest in told.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", ["page.html", "ORIGIN.md", "..%2Fexplorer.py", "%2Fetc%2Fpasswd", ""])
def test_nothing_else_of_the_folder_is_served(http: httpx.Client, name: str) -> None:
    assert http.get(f"/graphiql/{name}").status_code == 404


def test_a_client_that_is_no_browser_asks_by_post(http: httpx.Client) -> None:
    for accept in ("*/*", "application/json", "application/graphql-response+json"):
        answer = http.get("/graphql?query={me{id}}", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_there_is_no_page_outside_of_demo_mode(settings: Settings) -> None:
    server = RunningServer(settings.model_copy(update={"demo": False, "metrics_port": None}))
    server.start()
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        page = client.get("/graphql", headers=BROWSER)
        assert (page.status_code, page.headers["allow"]) == (405, "POST")
        assert client.get("/graphiql/start.js").status_code == 404
    server.stop()
