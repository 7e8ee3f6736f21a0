"""What the door refuses before a message is stored: B146 to B155 on the outer document."""

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from app.core.errors import Invalid, TooLarge
from app.ingestion import xml
from app.ingestion.catalogue import ProblemCode
from app.ingestion.xml import XmlRefused, check_outside, read_document, with_utf8_declared
from tests.ingestion.bombs import archive_bombs, encoding_bombs, entity_bombs, size_bombs
from tests.ingestion.messages import message

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """Listen on loopback; whoever calls stands in the queue until the test looks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


def refusal(body: bytes) -> XmlRefused:
    with pytest.raises(XmlRefused) as caught:
        check_outside(body)
    return caught.value


def test_b146_to_b152_nothing_is_read_or_fetched(canary: socket.socket) -> None:
    for name, (body, reason) in entity_bombs(canary.getsockname()[1]).items():
        assert (name, refusal(body).reason) == (name, reason)
    with pytest.raises(BlockingIOError):
        canary.accept()


def test_the_canary_would_hear_a_call(canary: socket.socket) -> None:
    with socket.create_connection(canary.getsockname()):
        canary.settimeout(60)
        caller, _ = canary.accept()
    caller.close()


@pytest.mark.parametrize(("body", "reason"), size_bombs().values(), ids=size_bombs().keys())
def test_b153_size_is_refused(body: bytes, reason: ProblemCode) -> None:
    assert refusal(body).reason is reason


@pytest.mark.parametrize(("body", "reason"), encoding_bombs().values(), ids=encoding_bombs().keys())
def test_b154_only_clean_utf8_is_read(body: bytes, reason: ProblemCode) -> None:
    assert refusal(body).reason is reason


@pytest.mark.parametrize(("body", "reason"), archive_bombs().values(), ids=archive_bombs().keys())
def test_b155_archives_are_refused(body: bytes, reason: ProblemCode) -> None:
    assert refusal(body).reason is reason


def test_b153_limits_are_exact() -> None:
    check_outside(b"<a>" * xml.MAX_DEPTH + b"</a>" * xml.MAX_DEPTH)
    attributes = " ".join(f'a{number}="1"' for number in range(xml.MAX_ATTRIBUTES))
    check_outside(f"<a {attributes}/>".encode())
    check_outside(b"<a>" + b'<b c="1"/>' * xml.MAX_ATTRIBUTES_IN_ALL + b"= " * 20_000 + b"</a>")
    with pytest.raises(XmlRefused):
        check_outside(b"<a>" + b"<b c='1'/>" * (xml.MAX_ATTRIBUTES_IN_ALL + 1) + b"</a>")
    check_outside(b"<a>" + b"<b></b>" * (xml.MAX_ELEMENTS - 1) + b"</a>")
    with pytest.raises(XmlRefused):
        check_outside(b"<a>" + b"<b></b>" * xml.MAX_ELEMENTS + b"</a>")


def test_b153_the_parser_never_sees_what_is_counted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> None:
        pytest.fail("the parser was asked")

    monkeypatch.setattr(etree, "fromstring", parse)
    counted = {**entity_bombs(9), **archive_bombs(), **size_bombs()}
    for name in ("b149 laughs", "b150 quadratic", "b155 gzip", "b153 siblings", "b153 attributes"):
        refusal(counted[name][0])


BOUNDED = """
import resource, sys
from tests.ingestion.bombs import archive_bombs, encoding_bombs, entity_bombs, size_bombs
from app.ingestion.xml import XmlRefused, check_outside

bombs = [body for made in (entity_bombs(9), size_bombs(), encoding_bombs(), archive_bombs())
         for body, _ in made.values()]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for body in bombs:
    try:
        check_outside(body)
    except XmlRefused:
        continue
    sys.exit("a bomb was accepted")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_b153_b155_memory_stays_bounded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 50 * 1024, "kilobytes more than before"


def test_b151_the_parser_s_answer_is_a_second_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "_check_prolog", lambda _: 0)

    assert refusal(b"<!DOCTYPE a><a/>").reason is ProblemCode.XML_DOCTYPE


def test_too_large_is_its_own_refusal() -> None:
    with pytest.raises(TooLarge):
        check_outside(b"<a>" + b" " * xml.MAX_MESSAGE_BYTES + b"</a>")


def test_a_good_message_passes() -> None:
    check_outside(message())
    check_outside(b"\xef\xbb\xbf" + message())
    check_outside(b'<?xml version="1.0" encoding="utf-8" standalone="yes"?><a/>')
    check_outside(b"<?xml version='1.0' encoding='UTF8'?><!-- x --><a/><!-- y -->")


@pytest.mark.parametrize("spelling", ["utf-16", "UTF-16", "UTF16", "utf_16", "UTF-16LE", "utf-16be"])
def test_utf8_that_declares_utf16_is_mended_inside_and_refused_outside(spelling: str) -> None:
    body = f'<?xml version="1.0" encoding="{spelling}" standalone="yes"?><a>Nguyễn</a>'.encode()

    for document in (body, b"\xef\xbb\xbf" + body):
        mended = with_utf8_declared(document)
        assert mended is not None
        assert (read_document(mended).text, len(mended)) == ("Nguyễn", len(document))
        with pytest.raises(XmlRefused) as refused:
            check_outside(document)
        assert refused.value.reason is ProblemCode.XML_ENCODING


def test_what_does_not_declare_utf16_is_not_mended() -> None:
    for head in ("", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf8"?>', "<!-- encoding='utf-16' -->"):
        assert with_utf8_declared(f"{head}<a/>".encode()) is None


def test_text_that_looks_dangerous_is_text() -> None:
    root = read_document(b"<a><![CDATA[<!DOCTYPE html><?php &x; ?>]]><!-- gone -->&#7897;&lt;b&gt;</a>")

    assert root.text == "<!DOCTYPE html><?php &x; ?>ộ<b>"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"<a>\n<b></a>", "line 2, column 8 (the end tag does not match the start tag)"),
        (b"<a>A & B</a>", "line 1, column 7 (& or < in a text must be written as &amp; or &lt;)"),
        (b"<a>&eacute;</a>", "& or < in a text must be written"),
        (b"<a><b>", "an end tag is missing"),
        (b"<a/><b/>", "there may be only one root"),
        (b' <?xml version="1.0"?><a/>', "must be at the very start"),
        (b"<a b='1' b='2'/>", "an attribute is repeated"),
        (b"<x:a/>", "a namespace prefix is not declared"),
        (b"<a b=1/>", "line 1, column 6."),
    ],
)
def test_a_refusal_names_place_and_reason(body: bytes, hint: str) -> None:
    error = refusal(body)

    assert error.reason is ProblemCode.XML_MALFORMED
    assert hint in error.text.en


def test_a_refusal_never_repeats_the_text() -> None:
    for body in (
        b"<a>&Secret;</a>",
        b"<a><Secret></a>",
        b"<Secret",
        b'<a x="Secret<"/>',
        b"<a>Secret\x00</a>",
    ):
        error = refusal(body)

        assert isinstance(error, Invalid)
        assert "secret" not in f"{error} {error.text.vi} {error.text.en}".lower()
        assert error.__cause__ is None


def test_a_refusal_tells_the_byte() -> None:
    assert "byte 4" in refusal(b"<a>\x01</a>").text.en
    assert "byte thứ 6" in refusal(b"<a>ab\xff</a>").text.vi


@pytest.mark.parametrize("body", [b"", b" \n", b"<!-- only -->", b"\xef\xbb\xbf"])
def test_an_empty_document_is_refused(body: bytes) -> None:
    assert refusal(body).reason is ProblemCode.XML_EMPTY
