"""What the contract wants of vaccinations, imaging, conditions and allergies."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.differential.rows import Row
from tests.differential.shown import VIETNAM, Shown, day, instant, instants, numbers, plain
from tests.people import now

if TYPE_CHECKING:
    from tests.differential.judge import Answers

MOST = 25


def sections(answers: "Answers") -> Shown:
    """Return these sections of a book."""
    records = answers.viewing.shelf.records
    shown = [row for row in records["vaccination"] if row["id"] == row["dose_id"]]
    return {
        "vaccinations": lambda **given: answers.page(
            shown, "injected_at", lambda row: _dose(answers, row), given, default=50
        ),
        "vaccinationSchedule": lambda: _schedule(answers),
        "imaging": lambda: [_study(answers, row) for row in _newest(records["imaging_study"], "started_at")],
        "conditions": lambda: _conditions(answers),
        "allergies": lambda: [
            _allergy(answers, row) for row in _newest(records["allergy"], "recorded_at") if not row["is_none_known"]
        ],
        "noKnownAllergies": lambda: [
            _none_known(answers, row) for row in _newest(records["allergy"], "recorded_at") if row["is_none_known"]
        ],
    }


def _newest(rows: Sequence[Row], dated: str) -> list[Row]:
    return sorted(rows, key=lambda row: (row[dated], row["id"]), reverse=True)


def _visit_id(answers: "Answers", row: Row) -> str | None:
    for visit in answers.viewing.shelf.records["visit"]:
        if (visit["facility_code"], visit["source_id"]) == (row["facility_code"], row["visit_source_id"]):
            return str(visit["id"])
    return None


def _filed(answers: "Answers", row: Row) -> Shown:
    return {**answers.filed(row), "visitId": _visit_id(answers, row), "note": row["note"]}


def _targets(answers: "Answers", row: Row) -> list[Shown]:
    return [{"code": code, "name": answers.name("antigen", code)} for code in row["antigens"][:MOST]]


def _dose(answers: "Answers", row: Row) -> Shown:
    shelf = answers.viewing.shelf
    sources = [one for one in shelf.records["vaccination"] if one["dose_id"] == row["dose_id"]]
    sources.sort(key=lambda one: (one["facility_code"], one["source_id"]))
    return {
        **_filed(answers, row),
        **plain(row, "status", "status_reason", "vaccine_code", "vaccine_name", "dose_number", "dose_text"),
        **plain(row, "series_doses", "lot_number", "manufacturer", "site", "route", "amount_unit", "programme"),
        **plain(row, "observation", "performer_name", "performer_certificate", "given_at", "injected_precision"),
        **instants(row, "injected_at", "observed_until"),
        **numbers(row, "amount"),
        "vaccineCodeSystem": row["vaccine_system"],
        "expiresOn": day(row["expires_on"]),
        "protectsAgainst": _targets(answers, row),
        "reactions": _reactions(answers, row, sources),
        "sources": [
            {
                **answers.filed(one),
                **plain(one, "is_primary_source", "vaccine_name", "dose_number", "lot_number"),
                **instants(one, "injected_at"),
            }
            for one in sources[:MOST]
        ],
    }


def _reactions(answers: "Answers", row: Row, sources: Sequence[Row]) -> list[Shown]:
    shelf = answers.viewing.shelf
    found: list[tuple[tuple[Any, ...], Shown]] = []
    for one in sources:
        for told in shelf.lines_of("vaccination_reaction", one["id"]):
            place = told["reacted_at"] or one["injected_at"]
            key: tuple[Any, ...] = (place, "FACILITY", one["facility_code"], one["source_id"], told["line"])
            found.append((key, {**_reaction(told), "toldBy": "FACILITY", "facility": answers.facility(one)}))
    for told in shelf.records["reported_reaction"]:
        if told["dose_id"] == row["dose_id"]:
            key = (told["reacted_at"] or told["reported_at"], "CITIZEN", str(told["id"]))
            found.append((key, {**_reaction(told), "toldBy": "CITIZEN", "facility": None}))
    return [shown for _, shown in sorted(found, key=lambda one: one[0])][:MOST]


def _reaction(row: Row) -> Shown:
    return {**plain(row, "description", "severity"), **instants(row, "reacted_at")}


def _schedule(answers: "Answers") -> list[Shown]:
    """Walk each series dose by dose."""
    shelf, lists = answers.viewing.shelf, answers.viewing.lists
    born, today = shelf.citizen["birth_on"], now().astimezone(VIETNAM).date()
    is_child = (today.year - born.year - ((today.month, today.day) < (born.month, born.day))) < 18
    if shelf.citizen["birth_precision"] == "YEAR" or not is_child:
        return []
    given = [row for row in shelf.records["vaccination"] if row["id"] == row["dose_id"] and row["status"] == "GIVEN"]
    given.sort(key=lambda row: (row["injected_at"], row["id"]))
    found: list[tuple[date, Row, Row | None]] = []
    before: dict[str, datetime | None] = {}
    for rule in sorted(lists.schedule, key=lambda row: (row["series"], row["dose"])):
        by_age = born + timedelta(days=rule["due_days"])
        if by_age < rule["valid_from"] or (rule["valid_until"] and by_age >= rule["valid_until"]):
            continue
        if rule["sex"] not in {None, shelf.citizen["sex"]}:
            continue
        nth = [_nth(given, rule, antigen, born) for antigen in rule["antigens"]]
        done = None if None in nth else max((one for one in nth if one), key=lambda row: row["injected_at"])
        last, due = before.get(rule["series"]), by_age
        if last is not None and rule["min_interval_days"] is not None:
            due = max(due, last.astimezone(VIETNAM).date() + timedelta(days=rule["min_interval_days"]))
        before[rule["series"]] = done["injected_at"] if done else None
        found.append((due, rule, done))
    found.sort(key=lambda one: (one[0], one[1]["series"], one[1]["dose"]))
    return [_due(answers, rule, due, done, today) for due, rule, done in found]


def _nth(given: Sequence[Row], rule: Row, antigen: str, born: Any) -> Row | None:
    ages = [(row, (row["injected_at"].astimezone(VIETNAM).date() - born).days) for row in given]
    until = rule["counts_until_days"]
    counted = [
        row
        for row, age in ages
        if antigen in row["antigens"] and age >= rule["counts_from_days"] and (until is None or age <= until)
    ]
    return counted[rule["dose"] - 1] if len(counted) >= rule["dose"] else None


def _due(answers: "Answers", rule: Row, due: Any, done: Row | None, today: Any) -> Shown:
    late = due + timedelta(days=rule["late_days"] - rule["due_days"])
    born = answers.viewing.shelf.citizen["birth_on"]
    closes = None if rule["closes_days"] is None else born + timedelta(days=rule["closes_days"])
    if done:
        state = "DONE"
    elif closes and today >= closes:
        state = "CLOSED"
    else:
        state = "UPCOMING" if today < due else "DUE" if today < late else "LATE"
    return {
        **plain(rule, "series", "dose", "source"),
        "name": rule["name_en"] if answers.viewing.language == "en" else rule["name_vi"],
        "protectsAgainst": _targets(answers, rule),
        "state": state,
        "dueOn": day(due),
        "lateFrom": day(late),
        "closesOn": day(closes),
        "doneAt": instant(done["injected_at"]) if done else None,
        "vaccinationId": str(done["id"]) if done else None,
        "isConfirmed": rule["certainty"] == "confirmed",
    }


def _study(answers: "Answers", row: Row) -> Shown:
    return {
        **_filed(answers, row),
        **plain(row, "study_uid", "accession_number", "modalities", "procedure_code", "procedure_name", "body_site"),
        **plain(row, "laterality", "series_count", "instance_count", "referrer_name", "reader_name"),
        **plain(row, "reader_certificate", "report", "conclusion"),
        **instants(row, "started_at", "reported_at"),
        "recognisedUpTo": None
        if row["conclusion"] is None
        else answers.viewing.lists.facilities[row["facility_code"]]["level"],
        "reuse": "REPEAT" if row["conclusion"] is None else "REUSE_WITH_CARE",
        "images": None,  # no facility of these five serves any: tests/records/test_imaging.py
    }


def _conditions(answers: "Answers") -> list[Shown]:
    shelf = answers.viewing.shelf
    named: dict[str, list[tuple[Row, datetime]]] = {}
    for (table, _visit), lines in shelf.lines.items():
        for row in lines if table == "visit_diagnosis" else ():
            if row["role"] != "TRADITIONAL":
                named.setdefault(row["code"], []).append((row, row["recorded_at"]))
    stated: dict[str, list[Row]] = {}
    for row in _newest(shelf.records["condition"], "recorded_at"):
        if row["certainty"] != "REFUTED":
            stated.setdefault(row["concept"], []).append(row)
    found = []
    for concept in sorted({*named, *stated}):
        visits, statements = named.get(concept, []), stated.get(concept, [])
        times = [at for _, at in visits] + [row["recorded_at"] for row in statements]
        first = statements[0] if statements else None
        system = "ICD10" if visits or first is None else first["code_system"]
        code = concept if system == "ICD10" else (first or {}).get("code") or (first or {}).get("name")
        name = answers.name("icd10", code) if system == "ICD10" else None
        shown = {
            "code": code,
            "codeSystem": system,
            "name": name if name is not None else (first["name"] if first else None),
            "state": next((row["state"] for row in statements if row["state"]), None),
            "firstRecordedAt": instant(min(times)),
            "lastRecordedAt": instant(max(times)),
            "visitCount": len({row["visit_id"] for row, _ in visits}),
            "isMainSomewhere": any(row["role"] == "MAIN" for row, _ in visits),
            "statements": [_statement(answers, row) for row in statements[:MOST]],
        }
        found.append((max(times), shown))
    found.sort(key=lambda one: one[0], reverse=True)
    return [shown for _, shown in found]


def _statement(answers: "Answers", row: Row) -> Shown:
    return {
        **_filed(answers, row),
        **plain(row, "name", "state", "certainty", "severity", "onset_precision", "onset_text", "recorder_name"),
        **instants(row, "onset_at", "abated_at", "recorded_at"),
    }


def _allergy(answers: "Answers", row: Row) -> Shown:
    reactions = answers.viewing.shelf.lines_of("allergy_reaction", row["id"])[:MOST]
    return {
        **_filed(answers, row),
        **plain(row, "substance", "code", "code_system", "kind", "categories", "criticality", "state", "certainty"),
        **plain(row, "onset_precision", "recorder_name"),
        **instants(row, "onset_at", "last_reacted_at", "recorded_at"),
        "reactions": [_reaction(one) for one in reactions],
    }


def _none_known(answers: "Answers", row: Row) -> Shown:
    denied = set(row["categories"])
    others = [
        one
        for one in answers.viewing.shelf.records["allergy"]
        if not one["is_none_known"] and one["certainty"] != "REFUTED" and one["state"] != "RESOLVED"
    ]
    return {
        **answers.filed(row),
        **plain(row, "categories"),
        "statement": row["substance"],
        "isContradicted": any(not denied or not one["categories"] or denied & {*one["categories"]} for one in others),
        **instants(row, "recorded_at"),
    }
