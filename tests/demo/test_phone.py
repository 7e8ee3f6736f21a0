"""The app on a phone, as far as it stands without a server: its listener and its suspicion."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from app.demo.phone import Phone, SignInFailed, wait_for_browser
from tests.sockets import PATIENCE

SERVER = "http://127.0.0.1:9"


def phone() -> Phone:
    return Phone(server=SERVER, redirect_uri="http://127.0.0.1:1/signed-in")


def test_it_waits_for_the_browser_and_thanks_it() -> None:
    listener = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    pages: list[httpx.Response] = []

    def browse() -> None:
        url = f"http://127.0.0.1:{listener.server_port}"
        with httpx.Client(timeout=PATIENCE, trust_env=False) as http:
            pages.extend([http.get(f"{url}/favicon.ico"), http.get(f"{url}/signed-in?code=c&state=s")])

    browser = threading.Thread(target=browse)
    browser.start()
    asked = wait_for_browser(listener, seconds=PATIENCE, clock=time.monotonic)
    browser.join()
    listener.server_close()

    assert asked == "/signed-in?code=c&state=s"
    assert [page.status_code for page in pages] == [404, 200]
    assert "Đã xong" in pages[1].text


def test_it_gives_up() -> None:
    listener = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    with pytest.raises(SignInFailed, match="timeout"):
        wait_for_browser(listener, seconds=0, clock=time.monotonic)
    listener.server_close()


@pytest.mark.parametrize(
    "answer",
    ["code=c&state=another&iss={iss}", "code=c&state={state}&iss=https://evil.example", "state={state}&iss={iss}", ""],
)
def test_it_takes_no_answer_that_is_not_its_own(answer: str) -> None:
    one = phone()
    back = f"{one.redirect_uri}?{answer.format(state=one.state, iss=SERVER)}"
    with httpx.Client() as http, pytest.raises(SignInFailed):
        one.tokens(http, came_back_to=back)


def test_two_attempts_share_no_secret() -> None:
    assert phone().url != phone().url
    assert phone().verifier not in phone().url
