"""Five citizens whose books differ in what makes answers go wrong."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from app.core.ids import new_id
from app.demo.messages import year_messages
from app.demo.people import FACILITIES, citizen
from tests.attacks import tries
from tests.attacks.crowd import Member, message, visiting
from tests.clinics import DOSE
from tests.conftest import Ground
from tests.differential.ledger import agree, look_in
from tests.differential.telling import clinic_of, coding, report, tell
from tests.ingestion import messages
from tests.ingestion.messages import Fields
from tests.people import Stand, now

TODAY = date(2026, 11, 22)
ODD_TEXTS = (
    "quote \" ' \\ / back\\n \\u0041",
    "</script><!-- ]]> & &amp; %s {0} ${x} :name $1 $$ E'\\x01'",
    "\t tab \n line \xa0 \u2028 \u2029 \ufeff",
    "😀👨\u200d👩\u200d👧 🇻🇳 e\u0301\u0323 o\u031b\u0309 ﷽",
    "\u202eשלום عليكم\u202c \u200f \u200b",
    "rất dài " * 400,
)
"""What a message can bring; the door takes no other control characters."""
CONTROLS = '\x01\x02\x1f\x7f\x85\r\n"\\\b\f\x1b[31m'
"""What no message brings, and JSON must escape all the same."""
COPIES = 14
VIETNAM = "'Asia/Ho_Chi_Minh'"
CLINIC = "01077"


KINDS = ("rich", "odd", "one record", "empty", "child")


def settle(ground: Ground, stand: Stand) -> dict[str, UUID]:
    """File the books of five citizens and return them by their kind."""
    token = stand.facility(CLINIC, name=f"Phòng khám {ODD_TEXTS[0]}")
    citizens = (
        _rich(ground, stand),
        _odd(ground, stand, token),
        _of_one_record(stand, token),
        _empty(stand),
        _child(ground, stand, token),
    )
    look_in(stand, citizens[0], CLINIC)
    look_in(stand, citizens[1], CLINIC)
    tries.run(agree, ground, stand, citizens[0], citizens[2])
    return dict(zip(KINDS, citizens, strict=True))


def _rich(ground: Ground, stand: Stand) -> UUID:
    """A year of the demo, and copies of its records that tie in time or differ by microseconds."""
    tokens = {one.code: stand.facility(one.code, name=one.name, level=one.level) for one in FACILITIES}
    person = citizen(1)
    for sent in year_messages([person], today=TODAY):
        assert stand.file(sent.body, token=tokens[sent.facility_code]) == "filed"
    found = stand.citizen_by(person.personal_id)
    tries.run(_copy, ground, stand, found)
    tell(ground, stand, found, texts=("Ghi chú",))
    return found


async def _copy(ground: Ground, stand: Stand, citizen_id: UUID) -> None:
    records = {
        "visit": ("started_at", {"visit_diagnosis": "visit_id", "visit_service": "visit_id"}),
        "prescription": ("ordered_at", {"prescription_item": "prescription_id"}),
        "test_report": ("resulted_at", {"test_result": "report_id"}),
    }
    async with tries.as_superuser(ground, stand.settings) as superuser:
        for table, (dated, lines) in records.items():
            known = await superuser.fetch(
                f"SELECT id FROM book.{table} WHERE citizen_id = $1 ORDER BY {dated}, id LIMIT 2", citizen_id
            )
            for number in range(COPIES):
                fraction = (0, 0, 123_456, 500_000)[number % 4]
                moment = f"t.{dated}"
                if number % 5 == 4:  # midnight in Viet Nam, and the microsecond before it
                    moment = f"date_trunc('day', {moment} AT TIME ZONE {VIETNAM}) AT TIME ZONE {VIETNAM}"
                    fraction = -(number % 2)
                source, fresh = known[number % 2]["id"], new_id(now=now())
                await superuser.execute(
                    f"INSERT INTO book.{table} SELECT (jsonb_populate_record(t, jsonb_build_object('id', $3::uuid, "
                    f"'source_id', $4::text, '{dated}', {moment} + $5::int * interval '1 microsecond'))).* "
                    f"FROM book.{table} t WHERE citizen_id = $1 AND id = $2",
                    *(citizen_id, source, fresh, f"copy {number}", fraction),
                )
                for line, parent in lines.items():
                    await superuser.execute(
                        f"INSERT INTO book.{line} SELECT (jsonb_populate_record(t, jsonb_build_object('{parent}', "
                        f"$3::uuid))).* FROM book.{line} t WHERE citizen_id = $1 AND {parent} = $2",
                        *(citizen_id, source, fresh),
                    )
        for kind in ("VISIT", "TEST_REPORT", "DOCUMENT"):  # of one moment, so that ids decide
            await superuser.execute(
                "INSERT INTO book.withdrawal "
                "SELECT citizen_id, $2, facility_code, source_id, $3, started_at, now(), $4 "
                "FROM book.visit WHERE citizen_id = $1 ORDER BY id LIMIT 1",
                *(citizen_id, new_id(now=now()), kind, f"Gửi nhầm {ODD_TEXTS[0]}"),
            )
        await superuser.execute(
            "UPDATE book.visit_diagnosis d SET recorded_at = v.started_at FROM book.visit v "
            "WHERE v.citizen_id = d.citizen_id AND v.id = d.visit_id AND d.citizen_id = $1",
            citizen_id,
        )
        await superuser.execute(
            "UPDATE book.test_result t SET resulted_at = r.resulted_at FROM book.test_report r "
            "WHERE r.citizen_id = t.citizen_id AND r.id = t.report_id AND t.citizen_id = $1",
            citizen_id,
        )


def _odd(ground: Ground, stand: Stand, token: str) -> UUID:
    """Texts of every kind that a message can bring, then one that it cannot."""
    person = Member(number=901, facility=CLINIC)
    for number, text in enumerate(ODD_TEXTS):
        told: dict[str, list[Fields]] = {
            "XML1": [_with(person, "XML1", LY_DO_VV=text, CHAN_DOAN_RV=text, PP_DIEU_TRI=text, GHI_CHU=text)],
            "XML2": [_with(person, "XML2", TEN_THUOC=text[:900], LIEU_DUNG=text[:900], CACH_DUNG=text[:900])],
            "XML4": [_with(person, "XML4", TEN_CHI_SO=text[:200], GIA_TRI=text[:200], KET_LUAN=text, MO_TA=text)],
        }
        lines = {table: [{**one, "MA_LK": f"odd-{number}"} for one in kept] for table, kept in told.items()}
        kept_id = stand.keep(messages.envelope(messages.visit_xml(lines), facility=CLINIC), token=token)
        status = stand.process(kept_id)
        assert status in {"filed", "partly"}, stand.receipt(kept_id, token=token).verdict
    found = stand.citizen_by(person.personal_id)

    async def spoil() -> None:
        async with tries.as_superuser(ground, stand.settings) as superuser:
            for table, column in (("visit", "advice"), ("prescription_item", "form"), ("test_result", "unit")):
                await superuser.execute(f"UPDATE book.{table} SET {column} = $2 WHERE citizen_id = $1", found, CONTROLS)
            await superuser.execute(
                "UPDATE book.visit SET department_codes = $2 WHERE citizen_id = $1", found, [CONTROLS, "", *ODD_TEXTS]
            )

    tries.run(spoil)
    tell(ground, stand, found, texts=ODD_TEXTS)
    return found


def _with(person: Member, table: str, **fields: str) -> Fields:
    return {**person.tables()[table][0], **fields}


def _of_one_record(stand: Stand, token: str) -> UUID:
    person = Member(number=902, facility=CLINIC)
    assert stand.file(message(person, without=("XML2", "XML3", "XML4")), token=token) == "filed"
    return stand.citizen_by(person.personal_id)


def _empty(stand: Stand) -> UUID:
    """A person who has signed in before any facility sent anything."""
    found = new_id(now=now())
    stand.as_owner(
        "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
        "VALUES (:id, 'Lò Thị Xuân', 'LO THI XUAN', '1960-01-01', 'YEAR', 'UNDETERMINED', now())",
        id=found,
    )
    stand.as_owner("INSERT INTO auth.book (citizen_id, changed_at) VALUES (:id, now())", id=found)
    return found


def _child(ground: Ground, stand: Stand, token: str) -> UUID:
    """A child of ten months: some doses done, some late, some to come."""
    born = now().date() - timedelta(days=300)
    fields = {"NGAY_SINH": f"{born:%Y%m%d}0000", "GIOI_TINH": "2", **visiting(born + timedelta(days=297))}
    person = Member(number=903, facility=CLINIC, fields=fields)
    assert stand.file(message(person, without=("XML2", "XML3", "XML4")), token=token) == "filed"
    found = stand.citizen_by(person.personal_id)
    clinic = clinic_of(stand, found, CLINIC)
    for place, (age, code) in enumerate([(0, "08"), (1, "19"), (65, "102"), (65, "178"), (100, "132"), (240, "05")]):
        at = datetime.combine(born + timedelta(days=age), time(3), tzinfo=UTC)
        dose = replace(DOSE, source_id=f"dose-{place}", injected_at=at, vaccine=(coding(code),), lot_number=None)
        clinic.tells(dose, replace(dose, source_id=f"again-{place}", note=None))
    tries.run(report, ground, stand, found)
    return found
