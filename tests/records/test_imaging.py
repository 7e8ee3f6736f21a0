"""Imaging studies: filed by themselves, their images by short-lived links that the facility's door can check."""

import base64
import hashlib
import hmac
import time
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.core.db import Login
from app.core.errors import Invalid
from app.facilities import registry
from tests.attacks import tries
from tests.clinics import STUDY
from tests.people import Stand, now
from tests.records.books import AWAY, HOME, Book

KEY = "khóa của cổng DICOMweb"
STORE = "https://pacs.test/dicom-web"
LINK = "imaging { id reuse studyUid images { url expiresAt } }"


@pytest.fixture
def book(stand: Stand, http: httpx.Client) -> Book:
    return Book(stand, http)


def serve(stand: Stand, code: str = HOME, *, url: str = STORE) -> None:
    stand.run(Login.MIGRATOR, partial(registry.register_images, code=code, base_url=url, key=KEY, now=now()))


def test_a_link_is_signed_for_the_facilitys_own_door(book: Book, stand: Stand) -> None:
    serve(stand)
    book.home.tells(replace(STUDY, dicomweb_url=STORE))
    (study,) = book.read(LINK)["imaging"]
    address = urlsplit(study["images"]["url"])
    asked = parse_qs(address.query)
    url = f"{STORE}/studies/{STUDY.study_uid}"
    assert f"{address.scheme}://{address.netloc}{address.path}" == url
    expires = int(asked["expires"][0])
    assert 600 - 120 <= expires - time.time() <= 900 + 5
    signed = hmac.new(KEY.encode(), f"GET\n{url}\n{expires}".encode(), hashlib.sha256).digest()
    assert asked["signature"] == [base64.urlsafe_b64encode(signed).rstrip(b"=").decode()]
    assert study["reuse"] == "REUSE"


@pytest.mark.parametrize(
    ("name", "uid", "claimed"),
    [
        ("no address", STUDY.study_uid, None),
        ("another house", STUDY.study_uid, "https://evil.test/dicom-web"),
        ("a house whose name begins alike", STUDY.study_uid, "https://pacs.test/dicom-web.evil.test"),
        ("no study", None, STORE),
        ("a path", "1.2/../../admin", STORE),
        ("a query", "1.2?x", STORE),
    ],
)
def test_no_link_leads_elsewhere(book: Book, stand: Stand, name: str, uid: str | None, claimed: str | None) -> None:
    serve(stand)
    book.home.tells(replace(STUDY, study_uid=uid, dicomweb_url=claimed))
    (study,) = book.read(LINK)["imaging"]
    assert (study["images"], study["reuse"]) == (None, "REUSE_WITH_CARE"), name


def test_a_facility_that_serves_none_or_is_suspended_has_no_links(book: Book, stand: Stand) -> None:
    serve(stand)
    book.away.tells(replace(STUDY, source_id="away", dicomweb_url=STORE))
    book.home.tells(replace(STUDY, dicomweb_url=f"{STORE}/east", conclusion=None))
    shown = {one["reuse"]: one["images"] for one in book.read(LINK)["imaging"]}
    assert shown["REUSE_WITH_CARE"] is None
    assert shown["REPEAT"] is not None
    stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = :code", code=HOME)
    assert {one["images"] for one in book.read("imaging { images { url } }")["imaging"]} == {None}
    stand.as_owner("UPDATE directory.facility SET suspended_at = NULL WHERE code = :code", code=HOME)


@pytest.mark.parametrize("url", ["http://pacs.test", "https://pacs.test/a?b", "https://u@pacs.test", "https://x/y z"])
def test_only_plain_https_addresses_are_registered(stand: Stand, book: Book, url: str) -> None:
    assert book.home.code == HOME
    with pytest.raises(Invalid):
        serve(stand, url=url)


def test_the_facility_and_its_report_are_shown_and_corrected(book: Book) -> None:
    selection = "imaging { facility { code } modalities startedAt conclusion provenance { version } }"
    assert book.home.tells(STUDY) == ["ADDED"]
    assert book.away.tells(STUDY) == ["ADDED"]  # the same id at another facility is another study
    assert book.home.tells(replace(STUDY, conclusion="U phổi"), made="20261121") == ["REPLACED"]
    shown = {one["facility"]["code"]: one for one in book.read(selection)["imaging"]}
    assert (shown[HOME]["conclusion"], shown[HOME]["provenance"]["version"]) == ("U phổi", 2)
    assert (shown[AWAY]["conclusion"], shown[AWAY]["modalities"]) == (STUDY.conclusion, ["DX"])
    assert book.home.withdraws(kind="IMAGING", key=STUDY.source_id, made="20261122") == [
        ("IMAGING", STUDY.source_id, "WITHDRAWN")
    ]
    assert [one["facility"]["code"] for one in book.read(selection)["imaging"]] == [AWAY]


@pytest.mark.asyncio
async def test_nobody_reads_the_keys(stand: Stand) -> None:
    for login in (Login.API, Login.DESK, Login.INGEST, Login.WORKER, Login.DEMO):
        async with tries.as_login(stand, login) as connection:
            assert await tries.sqlstate_of(connection, "SELECT * FROM directory.image_store") == tries.DENIED
    async with tries.as_login(stand, Login.API) as connection:
        link = "SELECT * FROM directory.image_link('01901', '1.2', 'https://pacs.test/dicom-web')"
        assert await tries.sqlstate_of(connection, link) == tries.DENIED


MASK = "mutation ($input: MaskRecordsInput!) { maskRecords(input: $input) { changed } }"


def hide(book: Book, record_id: str) -> None:
    answer = book.post(MASK, input={"idempotencyKey": f"hide {record_id}", "recordIds": [record_id]})
    assert answer["data"]["maskRecords"]["changed"] == 1


def test_what_names_a_hidden_visit_later_is_hidden_with_it(book: Book) -> None:
    book.home.tells(STUDY, made="202611200800")
    (visit,) = book.read("visits { nodes { id } }")["visits"]["nodes"]
    hide(book, visit["id"])
    assert book.read("imaging { isMasked }")["imaging"] == [{"isMasked": False}]
    book.home.tells(replace(STUDY, visit_source_id=book.visit), made="202611200900")
    assert book.read("imaging { isMasked }")["imaging"] == [{"isMasked": True}]


def test_a_hidden_study_that_is_withdrawn_and_told_again_is_hidden_still(book: Book) -> None:
    book.home.tells(STUDY, made="202611200800")
    (study,) = book.read("imaging { id }")["imaging"]
    hide(book, study["id"])
    book.home.withdraws(kind="IMAGING", key=STUDY.source_id, made="202611210800")
    assert book.read("imaging { id }")["imaging"] == []
    book.home.tells(STUDY, made="202611220800")
    assert book.read("imaging { isMasked }")["imaging"] == [{"isMasked": True}]
