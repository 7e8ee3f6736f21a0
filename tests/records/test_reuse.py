"""What need not be done again, what a book lacks, and which prescriptions still run."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from app.core.clock import VIETNAM_TIME
from app.core.db import Login
from app.core.settings import Settings
from app.facilities import registry
from app.terminology.reuse import reuse_rules
from app.terminology.units import test_units as units_that_ship
from tests.attacks.catalogue import Catalogue
from tests.attacks.crowd import Member
from tests.clinics import STUDY
from tests.conftest import Ground
from tests.ingestion import messages
from tests.people import Stand, now
from tests.records.books import AWAY, HOME, Book

ADVICE = (
    "query($codes: [String!]!, $at: String) { healthBook { reuseAdvice(codes: $codes, facilityCode: $at) { code advice "
    "reason explanation reportId studyId name valueText unit facility { code } sampledAt goodUntil laboratoryLevel "
    "saves source isConfirmed } } }"
)
PRESCRIPTIONS = "query($active: Boolean) { healthBook { prescriptions(active: $active) { nodes { runsUntil } } } }"
GAPS = "coverage { kind facilityCode aboutOn visitId explanation facility { code } }"


class Ward(Book):
    """A book whose visits are made as a test wants them."""

    def __init__(self, stand: Stand, http: httpx.Client) -> None:
        super().__init__(stand, http)
        self.stand = stand
        self.numbers = itertools.count(1)
        (known,) = stand.as_owner("SELECT source_id FROM auth.filing WHERE citizen_id = :id", id=self.citizen)
        self.member = Member(number=int(known.source_id.rpartition(".")[2]))

    def sends(self, changes: Mapping[str, Mapping[str, str | None]], *, only: tuple[str, ...] | None = None) -> str:
        """File one visit whose tables are changed line by line; returns its id."""
        visit = f"{self.visit}.{next(self.numbers)}"
        tables = {name: lines for name, lines in self.member.tables().items() if only is None or name in only}
        sent = {
            name: [{**line, "MA_LK": visit, **changes.get(name, {})} for line in lines]
            for name, lines in tables.items()
        }
        token = self.stand.facility(messages.FACILITY)
        kept = self.stand.keep(messages.envelope(messages.visit_xml(sent)), token=token)
        assert self.stand.process(kept) in {"filed", "partly"}, self.stand.receipt(kept, token=token).verdict
        return visit

    def result(self, code: str, value: str, *, hours: float, service: str = "TEST.1") -> None:
        """File one laboratory result whose sample was taken so long ago."""
        at = told(now() - timedelta(hours=hours))
        began = {"NGAY_VAO": at, "NGAY_RA": at, "NGAY_TTOAN": at, "NGAY_VAO_NOI_TRU": None, "NGAY_TAI_KHAM": None}
        self.sends(
            {
                "XML1": began,
                "XML3": {"MA_DICH_VU": service, "NGAY_YL": at, "NGAY_TH_YL": at, "NGAY_KQ": at, "DON_GIA_BV": "42000"},
                "XML4": {"MA_CHI_SO": code, "GIA_TRI": value, "MA_DICH_VU": service, "NGAY_KQ": at},
            },
            only=("XML1", "XML3", "XML4"),
        )

    def advice(self, *codes: str, at: str | None = None, language: str = "vi") -> list[dict[str, Any]]:
        """Return what is said of codes."""
        answer = self.post(ADVICE, codes=codes, at=at, language=language)
        assert "errors" not in answer, answer
        found: list[dict[str, Any]] = answer["data"]["healthBook"]["reuseAdvice"]
        return found


def told(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM_TIME):%Y%m%d%H%M}"


@pytest.fixture
def ward(stand: Stand, http: httpx.Client) -> Ward:
    return Ward(stand, http)


@pytest.fixture(autouse=True)
def _nothing_registered(stand: Stand) -> Iterator[None]:
    yield
    stand.as_owner("DELETE FROM directory.laboratory_level")
    stand.as_owner("DELETE FROM directory.image_store")
    stand.as_owner("UPDATE directory.facility SET level = 'CENTRAL'")


@pytest.fixture
def levels(stand: Stand) -> None:
    for code, level in ((HOME, 3), (AWAY, 4)):
        register = partial(
            registry.register_laboratory, code=code, level=level, valid_from=date(2020, 1, 1), valid_until=None
        )
        stand.run(Login.MIGRATOR, register)


@pytest.mark.parametrize(
    ("code", "value", "hours", "reason"),
    [
        ("GLU", "5.6", 3, "LEVEL_UNKNOWN"),
        ("GLU", "5.6", 30, "OLDER_THAN_SURE"),
        ("GLU", "5.6", 1441, "TOO_OLD"),
        ("URE", "5.6", 25, "TOO_OLD"),
        ("HBA1C", "6.5", 1439, "LEVEL_UNKNOWN"),
        ("WBC", "7", 169, "TOO_OLD"),
        ("HBSAG", "Âm tính", 5, "NOT_POSITIVE"),
        ("HBSAG", "Dương tính", 5, "LEVEL_UNKNOWN"),
        ("HBSAG", "Dương tính", 721, "TOO_OLD"),
        ("QQQ", "1", 5, "NO_RULE"),
        ("QQQ", "1", 1441, "TOO_OLD"),
    ],
)
def test_a_result_is_good_as_long_as_its_rule_says(
    stand: Stand, http: httpx.Client, code: str, value: str, hours: int, reason: str
) -> None:
    ward = Ward(stand, http)
    ward.result(code, value, hours=hours)
    (said,) = ward.advice(code)
    assert said["reason"] == reason
    care = reason in {"LEVEL_UNKNOWN", "OLDER_THAN_SURE", "NO_RULE"}
    assert said["advice"] == ("REUSE_WITH_CARE" if care else "REPEAT")


def test_one_of_a_known_level_need_not_be_repeated_and_tells_what_that_saves(ward: Ward) -> None:
    ward.result("GLU", "100", hours=2, service="23.0075.1494")
    register = partial(registry.register_laboratory, code=HOME, level=3, valid_from=date(2020, 1, 1), valid_until=None)
    ward.stand.run(Login.MIGRATOR, register)
    same, index, order, none, unasked = ward.advice("GLU", "2345-7", "23.0075.1494", "CRE", "GLU")
    assert (same["advice"], same["reason"], same["laboratoryLevel"]) == ("REUSE", "VALID", 3)
    assert (float(same["saves"]), same["valueText"], same["facility"]["code"]) == (42000.0, "100", HOME)
    sampled, until = (datetime.fromisoformat(same[key]) for key in ("sampledAt", "goodUntil"))
    assert until - sampled == timedelta(days=60)
    assert (index["reportId"], order["reportId"], unasked["reportId"]) == (same["reportId"],) * 3
    assert (none["advice"], none["reason"], none["reportId"]) == ("REPEAT", "NOTHING_FOUND", None)
    assert (same["isConfirmed"], same["explanation"]) == (False, "Còn thời hạn, mức chất lượng đã biết.")
    assert ward.advice("GLU", language="en")[0]["explanation"] == "In time, and of a known quality level."


def test_no_more_codes_are_looked_for_than_are_answered(ward: Ward, ground: Ground, settings: Settings) -> None:
    """Sixty thousand bytes of codes would take sixty times as long as the fifty that the contract promises."""
    codes = "ARRAY(SELECT 'X' || n FROM generate_series(1, 51) n)"
    found = Catalogue(ground, settings).rows(f"SELECT place, asked FROM book.reusable('{ward.citizen}', {codes})")

    assert [(int(place), code) for place, code in found] == [(n, f"X{n}") for n in range(1, 51)]
    assert len(ward.advice(*(f"X{n}" for n in range(1, 52)))) == 50


@pytest.mark.usefixtures("levels")
def test_a_laboratory_accepts_its_own_level_and_higher_ones(ward: Ward) -> None:
    ward.result("GLU", "5.6", hours=2)
    said = {at: ward.advice("GLU", at=at)[0]["reason"] for at in (HOME, AWAY, "99999")}
    assert said == {HOME: "VALID", AWAY: "LEVEL_LOWER", "99999": "VALID"}


def test_an_imaging_study_needs_its_conclusion_and_its_images(ward: Ward, stand: Stand) -> None:
    store = "https://pacs.test/dicom-web"
    code = STUDY.procedure_code or ""
    ward.home.tells(replace(STUDY, conclusion=None))
    assert [one["reason"] for one in ward.advice(code)] == ["NO_CONCLUSION"]
    ward.home.tells(replace(STUDY, dicomweb_url=store), made="20261121")
    (said,) = ward.advice(code)
    assert (said["reason"], said["advice"], said["reportId"]) == ("NO_IMAGES", "REUSE_WITH_CARE", None)
    (study,) = ward.read("imaging { id recognisedUpTo }")["imaging"]
    assert (said["studyId"], study["recognisedUpTo"]) == (study["id"], "CENTRAL")
    stand.run(Login.MIGRATOR, partial(registry.register_images, code=HOME, base_url=store, key="a key", now=now()))
    assert [one["advice"] for one in ward.advice(code)] == ["REUSE"]


def test_a_district_x_ray_counts_at_central_level_with_its_images_alone(ward: Ward, stand: Stand) -> None:
    store = "https://district.test/dicom-web"
    stand.as_owner("UPDATE directory.facility SET level = 'PRIMARY' WHERE code = :code", code=AWAY)
    ward.away.tells(replace(STUDY, source_id="x-ray", dicomweb_url=store))
    assert [one["recognisedUpTo"] for one in ward.read("imaging { recognisedUpTo }")["imaging"]] == ["PRIMARY"]
    stand.run(Login.MIGRATOR, partial(registry.register_images, code=AWAY, base_url=store, key="a key", now=now()))
    assert [one["recognisedUpTo"] for one in ward.read("imaging { recognisedUpTo }")["imaging"]] == ["CENTRAL"]
    ward.away.tells(replace(STUDY, source_id="x-ray", dicomweb_url=store, conclusion=None), made="20261122")
    assert [one["recognisedUpTo"] for one in ward.read("imaging { recognisedUpTo }")["imaging"]] == [None]


def test_care_that_others_speak_of_is_a_gap_until_it_comes(ward: Ward) -> None:
    at = now() - timedelta(days=50)
    began = {"NGAY_VAO": told(at), "NGAY_RA": told(at), "NGAY_TTOAN": told(at), "NGAY_VAO_NOI_TRU": None}
    visit = ward.sends({"XML1": {**began, "MA_NOI_DEN": AWAY, "MA_NOI_DI": "99998"}}, only=("XML1",))
    found = {(one["kind"], one["facilityCode"]): one for one in ward.read(GAPS)["coverage"]}
    assert {("REFERRED_TO", AWAY), ("REFERRED_FROM", "99998")} <= set(found)
    assert found["REFERRED_FROM", "99998"]["facility"] is None
    assert found["REFERRED_TO", AWAY]["aboutOn"] == at.astimezone(VIETNAM_TIME).date().isoformat()
    assert "cơ sở chưa gửi" in found["REFERRED_TO", AWAY]["explanation"]
    token = ward.stand.facility(AWAY)
    later = told(at + timedelta(days=2))
    tables = ward.member.tables()
    there = {**tables["XML1"][0], **began, "MA_LK": f"{visit}.there", "NGAY_VAO": later, "NGAY_RA": later}
    sent = messages.envelope(
        messages.visit_xml({"XML1": [{**there, "NGAY_TTOAN": later, "MA_CSKCB": AWAY}]}), facility=AWAY
    )
    kept = ward.stand.keep(sent, token=token)
    assert ward.stand.process(kept) == "filed", ward.stand.receipt(kept, token=token).verdict
    assert ("REFERRED_TO", AWAY) not in {(one["kind"], one["facilityCode"]) for one in ward.read(GAPS)["coverage"]}


def test_tests_without_results_are_a_gap_after_a_week(ward: Ward) -> None:
    for days in (5, 20):
        at = told(now() - timedelta(days=days))
        began = {"NGAY_VAO": at, "NGAY_RA": at, "NGAY_TTOAN": at, "NGAY_VAO_NOI_TRU": None}
        ward.sends({"XML1": began, "XML3": {"MA_NHOM": "1", "NGAY_YL": at, "NGAY_KQ": at}}, only=("XML1", "XML3"))
    missing = [one for one in ward.read(GAPS)["coverage"] if one["kind"] == "RESULTS_MISSING"]
    assert [one["aboutOn"] for one in missing] == [
        (now() - timedelta(days=20)).astimezone(VIETNAM_TIME).date().isoformat()
    ]


@pytest.mark.parametrize(
    ("dose", "days_ago", "until", "running"),
    [
        ("2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", 4, 0, True),
        ("2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", 5, -1, False),
        ("2 vien/lan * 2 lan/ngay * 30 ngay", 10, 19, True),
        ("1 tablet, for 7 days", 3, 3, True),
        ("khi đau", 29, None, True),
        ("khi đau", 30, None, False),
    ],
)
def test_a_prescription_runs_as_long_as_its_doses_say(
    ward: Ward, dose: str, days_ago: int, until: int | None, *, running: bool
) -> None:
    at = told(now() - timedelta(days=days_ago))
    began = {"NGAY_VAO": at, "NGAY_RA": at, "NGAY_TTOAN": at, "NGAY_VAO_NOI_TRU": None}
    drug = {"NGAY_YL": at, "NGAY_TH_YL": None, "LIEU_DUNG": dose, "CACH_DUNG": "uống sau ăn"}
    before = {active: len(_running(ward, active)) for active in (True, False)}
    ward.sends({"XML1": began, "XML2": drug}, only=("XML1", "XML2"))
    today = now().astimezone(VIETNAM_TIME).date()
    wanted = None if until is None else (today + timedelta(days=until)).isoformat()
    assert len(_running(ward, running)) > before[running]
    assert len(_running(ward, not running)) == before[not running]
    assert wanted in [one["runsUntil"] for one in _running(ward, running)]
    assert len(_running(ward, None)) == sum(len(_running(ward, active)) for active in (True, False))


def _running(ward: Ward, active: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ward.post(PRESCRIPTIONS, active=active)["data"]["healthBook"]["prescriptions"][
        "nodes"
    ]
    return found


def test_every_rule_names_a_test_that_is_known_and_two_bounds_in_order() -> None:
    subjects = [rule["subject"] for rule in reuse_rules()]
    assert len(set(subjects)) == len(subjects)
    for rule in reuse_rules():
        assert 24 <= rule["sure_hours"] <= rule["longest_hours"] <= 1440, rule
    analytes = {row["analyte"].upper() for row in units_that_ship()}
    assert {"HBA1C", "URE", "BIL-T", "BIL-D"} <= set(subjects) & analytes
