"""What people are told of, each kind from its cause to their screen: event, class, who, when and in which words.

What happens to devices, factors, sessions, families and disowned records is caused in tests/identity; here an event of
theirs is told.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.db import Login
from app.identity import family_sql
from app.notifications import sql as notices
from app.notifications import telling
from app.notifications.kinds import RULES, NoticeClass
from app.notifications.messages import LANGUAGES, push_words
from app.sharing import sql as sharing
from tests.appointments import clinic as care
from tests.attacks.crowd import Member, message
from tests.identity.families import Families
from tests.ingestion import messages
from tests.people import Stand
from tests.sharing.sharing import ASK, EMERGENCY, REVOKE, SHARED, Clinic, a_key

OWNER = Member(number=701)
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # 23:30 in Viet Nam
MORNING = datetime(2026, 11, 23, 23, tzinfo=UTC)  # 06:00
NOTICES = "{ notices(first: 1) { nodes { kind class title text subjectId about { id } } } }"
REASON = "Bệnh nhân hôn mê, không có người nhà đi cùng"
LEADS = [timedelta(days=7), timedelta(days=1), timedelta(hours=2)]


@dataclass(frozen=True, slots=True)
class Scene:
    """A citizen with a book, doctors who look into it, and a facility that takes bookings."""

    stand: Stand
    http: httpx.Client
    sharing: Clinic
    hospital: care.Clinic
    owner: UUID

    @property
    def token(self) -> str:
        return self.sharing.citizen(self.owner)

    @property
    def person(self) -> care.Person:
        return care.Person(id=self.owner, token=self.token)

    def sweep(self) -> None:
        self.stand.as_owner("UPDATE auth.share_try SET at = at - interval '5 seconds' WHERE told_at IS NULL")
        self.stand.run(Login.WORKER, sharing.swept)


@pytest.fixture(scope="module")
def owner(stand: Stand) -> UUID:
    assert stand.file(message(OWNER), token=stand.facility()) == "filed"
    return stand.citizen_by(OWNER.personal_id)


@pytest.fixture
def scene(stand: Stand, http: httpx.Client, owner: UUID) -> Iterator[Scene]:
    clinic = care.Clinic(stand, http, code="01955").open()
    clinic.publish(care.schedule(), terms={"mostLive": 50})
    yield Scene(stand, http, Clinic(stand, http), clinic, owner)
    for table in ("notice.notice", "notice.event", "care.waitlist_offer", "care.waitlist_entry", "care.appointment"):
        stand.as_owner(f"DELETE FROM {table}")
    stand.as_owner("UPDATE care.slot SET taken = 0")


def booked(scene: Scene) -> str:
    person = scene.person
    found: str = scene.hospital.book(person, scene.hospital.slots(person)[0])["id"]
    return found


def moved(scene: Scene) -> None:
    slot = scene.hospital.slots(scene.person)[8]
    scene.hospital.do(scene.person, care.RESCHEDULE, appointmentId=booked(scene), slotId=slot["id"])


def cancelled(scene: Scene) -> None:
    scene.hospital.do(scene.person, care.CANCEL, appointmentId=booked(scene))


def due(scene: Scene, lead: timedelta) -> None:
    """Let an appointment that was booked long ago begin in a little less than `lead`."""
    scene.stand.as_owner(
        "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, starts_at, state, booked_at, changed_at) "
        "VALUES (:id, gen_random_uuid(), '01955', 'PAPER', clock_timestamp() + :lead - interval '1 second', 'LIVE', "
        "now() - interval '30 days', now())",
        id=scene.owner,
        lead=lead,
    )
    step = partial(notices.remind, leads=LEADS, late=timedelta(minutes=2))
    assert scene.stand.run(Login.WORKER, step) == 1


def offered(scene: Scene) -> None:
    """Let somebody else give up the one place that the owner waits for."""
    one_day = care.tomorrow(3).isoformat()
    hours = [{"on": one_day, "hours": [{"from": "08:00", "to": "08:15"}]}]
    scene.hospital.publish(
        care.schedule("ONE", departmentCode="K18", weekly=[], exceptions=hours), terms={"mostLive": 50}
    )
    other = scene.hospital.person()
    (slot,) = scene.hospital.slots(other, department="K18")
    made = scene.hospital.book(other, slot)
    wish = {"facilityCode": scene.hospital.code, "departmentCode": "K18", "from": one_day, "to": one_day}
    scene.hospital.do(scene.person, care.JOIN, **wish)
    scene.hospital.do(other, care.CANCEL, appointmentId=made["id"])


def result(scene: Scene) -> None:
    moment = f"{datetime.now(UTC) - timedelta(hours=20):%Y%m%d%H%M}"
    times = {"NGAY_VAO": moment, "NGAY_RA": moment, "NGAY_TTOAN": moment}
    person = {"HO_TEN": OWNER.name, "SO_CCCD": OWNER.personal_id, "MA_THE_BHYT": ""}
    visit = {**messages.VISIT, "MA_LK": f"visit-{moment}", **times, **person}
    report = {**messages.RESULT, "MA_LK": visit["MA_LK"], "NGAY_KQ": moment}
    body = messages.envelope(messages.visit_xml({"XML1": [visit], "XML4": [report]}))
    assert scene.stand.file(body, token=scene.stand.facility()) == "filed"


def granted(scene: Scene) -> tuple[str, str]:
    doctor = scene.sharing.doctor()
    return doctor, scene.sharing.grant(scene.token, doctor)


def opened(scene: Scene) -> None:
    doctor, grant = granted(scene)
    assert "errors" not in scene.sharing.ask(doctor, SHARED, grant=grant).json()


def refused(scene: Scene) -> None:
    code = scene.sharing.share(scene.token, withPin=True)
    wrong = f"{(int(code['pin']) + 1) % 10**6:06d}"
    assert "errors" in scene.sharing.redeem(scene.sharing.doctor(), code["code"], pin=wrong).json()
    scene.sweep()


def ending(scene: Scene, left: timedelta) -> None:
    _, grant = granted(scene)
    scene.stand.as_owner(
        "UPDATE auth.book_grant SET starts_at = now() - interval '5 days', ends_at = clock_timestamp() + :left "
        "WHERE id = :id",
        id=UUID(grant),
        left=left,
    )
    scene.sweep()


def revoked(scene: Scene) -> None:
    _, grant = granted(scene)
    scene.sharing.data(scene.token, REVOKE, input={"idempotencyKey": a_key(), "grantId": grant})


def asked_for(scene: Scene) -> None:
    given = {
        "idempotencyKey": a_key(),
        "personalId": OWNER.personal_id,
        "facilityCode": "01901",
        "purpose": "TREATMENT",
        "scope": {"sections": ["VISITS"]},
    }
    scene.sharing.data(scene.sharing.doctor(), ASK, input=given)


def emergency(scene: Scene) -> None:
    given = {"idempotencyKey": a_key(), "personalId": OWNER.personal_id, "facilityCode": "01901", "reason": REASON}
    scene.sharing.data(scene.sharing.doctor(), EMERGENCY, input=given)


def birthday(scene: Scene) -> None:
    """Let the owner represent a child who will be seven in ten days."""
    child, families = scene.hospital.person(), Families(scene.stand)
    scene.stand.as_owner(
        "UPDATE auth.citizen SET birth_on = (auth.today() + 10 - interval '7 years')::date WHERE id = :id", id=child.id
    )
    families.represent(child.id, scene.owner)
    scene.stand.run(Login.WORKER, family_sql.tell_birthdays)


def happened(scene: Scene, kind: str, about: Mapping[str, str]) -> None:
    scene.stand.as_owner(
        "SELECT notice.happened(:id, :kind, CAST(:about AS jsonb))", id=scene.owner, kind=kind, about=json.dumps(about)
    )


A_DAY = timedelta(hours=20)
HOSPITAL, PLACE = "Bệnh viện Thử nghiệm", "Bệnh viện Đa khoa Thử nghiệm"
CASES: Mapping[str, tuple[str, Callable[[Scene], object], NoticeClass, str, str]] = {
    "booked": ("APPOINTMENT_BOOKED", booked, NoticeClass.APPOINTMENTS, f"Bạn có lịch hẹn tại {PLACE}", f"at {PLACE}, "),
    "moved": ("APPOINTMENT_CHANGED", moved, NoticeClass.APPOINTMENTS, "đã được đổi sang ", "was moved to "),
    "cancelled": ("APPOINTMENT_CANCELLED", cancelled, NoticeClass.APPOINTMENTS, "đã bị hủy.", "was cancelled."),
    "in a week": ("APPOINTMENT_DUE", partial(due, lead=LEADS[0]), NoticeClass.APPOINTMENTS, f"{PLACE} lúc ", PLACE),
    "tomorrow": ("APPOINTMENT_DUE", partial(due, lead=LEADS[1]), NoticeClass.APPOINTMENTS, f"{PLACE} lúc ", PLACE),
    "in two hours": ("APPOINTMENT_DUE", partial(due, lead=LEADS[2]), NoticeClass.APPOINTMENTS, f"{PLACE} lúc ", PLACE),
    "offered": ("WAITLIST_OFFERED", offered, NoticeClass.APPOINTMENTS, "Một chỗ vừa trống", "A place has become free"),
    "result": ("RESULT_READY", result, NoticeClass.RECORDS, "Kết quả mới", "A new result"),
    "opened": ("BOOK_OPENED", opened, NoticeClass.SHARING, f"được mở tại {HOSPITAL}.", f"was opened at {HOSPITAL}."),
    "redeemed": ("CODE_REDEEMED", granted, NoticeClass.SHARING, f"tại {HOSPITAL} đã dùng", "has used your"),
    "refused": ("CODE_REFUSED", refused, NoticeClass.SHARING, ": mã PIN sai.", "could not: the PIN was wrong."),
    "ending": ("GRANT_ENDING", partial(ending, left=A_DAY), NoticeClass.SHARING, "sắp hết hạn", "about to end"),
    "ended": ("GRANT_ENDED", partial(ending, left=timedelta(0)), NoticeClass.SHARING, "đã kết thúc", "has ended"),
    "revoked": ("GRANT_ENDED", revoked, NoticeClass.SHARING, "đã kết thúc", "has ended"),
    "asked": ("SHARE_REQUESTED", asked_for, NoticeClass.SHARING, f"tại {HOSPITAL} xin xem sổ", "asks to see your book"),
    "emergency": ("EMERGENCY_OPENED", emergency, NoticeClass.EMERGENCY, "trong trường hợp khẩn cấp", "in an emergency"),
    "birthday": ("GUARDIAN_BIRTHDAY", birthday, NoticeClass.FAMILY, "sẽ thay đổi từ ngày ", "rights change on "),
    **{
        f"event {kind}": (kind, partial(happened, kind=kind, about=about), of, vi, en) for kind, about, of, vi, en in (
            ("DEVICE_ADDED", {"device": "1"}, NoticeClass.SECURITY, "trên một thiết bị mới", "on a new device"),
            ("SESSION_REUSED", {"session": "1"}, NoticeClass.SECURITY, "đã kết thúc phiên đó", "ended that session"),
            ("SESSION_ENDED", {"session": "1"}, NoticeClass.SECURITY, "phiên cũ nhất đã kết thúc", "oldest session"),
            ("FACTOR_CHANGED", {"factor": "1"}, NoticeClass.SECURITY, "đăng ký hoặc thay đổi", "set up or changed"),
            ("FACTOR_LOCKED", {"factor": "1"}, NoticeClass.SECURITY, "tạm bị khóa", "locked for a while"),
            ("GUARDIAN_ADDED", {"representation": "1"}, NoticeClass.FAMILY, "vừa được thêm", "was added"),
            ("GUARDIAN_ENDED", {"representation": "1"}, NoticeClass.FAMILY, "đã kết thúc", "has ended"),
            ("RECORD_DISOWNED", {"split": "1"}, NoticeClass.RECORDS, "đã được tách khỏi sổ", "taken out of your book"),
        )
    },
}  # fmt: skip
"""By what happened: kind, cause, class, and what the text says in Vietnamese and in English."""


@pytest.mark.parametrize("case", CASES)
def test_what_happened_is_told_to_whom_it_concerns_when_it_may_in_words(scene: Scene, case: str) -> None:
    kind, cause, of, vi, en = CASES[case]
    scene.stand.as_owner("DELETE FROM notice.notice")
    scene.stand.as_owner("DELETE FROM notice.event")

    cause(scene)

    query = "SELECT id FROM notice.event WHERE citizen_id = :id AND kind = :kind ORDER BY id DESC LIMIT 1"
    (event,) = scene.stand.as_owner(query, id=scene.owner, kind=kind)
    step = partial(telling.tell, event_ids=[event.id], now=NIGHT)
    assert scene.stand.run(Login.WORKER, step) == 1
    (row,) = scene.stand.as_owner("SELECT push_at, citizen_id FROM notice.notice WHERE event_id = :id", id=event.id)
    assert row.citizen_id == scene.owner
    assert row.push_at == (NIGHT if of is NoticeClass.EMERGENCY else MORNING)
    for language, said in (("vi", vi), ("en", en)):
        (notice,) = shown(scene, language)
        assert (notice["kind"], notice["class"]) == (kind, of.value)
        assert said in notice["text"], notice["text"]
        assert notice["about"]["id"] == str(scene.owner)
        assert notice["title"]
        assert REASON not in notice["text"]


def shown(scene: Scene, language: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {scene.token}", "Accept-Language": language}
    answer = scene.http.post("/graphql", json={"query": NOTICES}, headers=headers).json()
    found: list[dict[str, Any]] = answer["data"]["notices"]["nodes"]
    return found


def kinds_of(stand: Stand) -> set[str]:
    """Return every kind that a function of the database tells of, itself or by one that is given the kind."""
    bodies = {
        row.name: row.body
        for row in stand.as_owner(
            "SELECT n.nspname || '.' || p.proname AS name, p.prosrc AS body FROM pg_proc p JOIN pg_namespace n "
            "ON n.oid = p.pronamespace WHERE n.nspname IN ('auth', 'book', 'care', 'intake', 'notice')"
        )
    }
    found: set[str] = set()
    tellers, known = {"notice.happened"}, set[str]()
    while tellers:
        teller = tellers.pop()
        known.add(teller)
        for name, body in bodies.items():
            for call in re.findall(rf"{re.escape(teller)}\(((?:[^;])*)", body):
                kinds = set(re.findall(r"'([A-Z]+_[A-Z]+)'", call.partition("jsonb_build_object")[0]))
                found |= kinds
                tellers |= {name} - known if not kinds else set()
    return found


def test_every_kind_that_is_told_of_is_in_the_one_table_and_has_a_case(stand: Stand) -> None:
    found = kinds_of(stand)
    assert {"DEVICE_ADDED", "GUARDIAN_ENDED", "APPOINTMENT_CANCELLED", "EMERGENCY_OPENED", "CODE_REDEEMED"} <= found
    assert found == set(RULES)
    assert {kind for kind, *_ in CASES.values()} == set(RULES)


@pytest.mark.parametrize("of", NoticeClass)
@pytest.mark.parametrize("language", LANGUAGES)
def test_b202_a_locked_phone_shows_one_sentence_a_class(of: NoticeClass, language: str) -> None:
    said = push_words(of, language=language)
    assert said.title == "Sổ Khỏe"
    assert said.text.endswith(".")
    assert not any(char.isdigit() for char in said.text)
