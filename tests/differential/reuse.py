"""What the contract wants of earlier results that count, of gaps and of prescriptions that run, from rows alone."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.records.reuse import GAPS, WHY
from tests.differential.rows import Row
from tests.differential.shown import VIETNAM, Shown, day, instant, number, plain
from tests.people import now

if TYPE_CHECKING:
    from tests.differential.judge import Answers

DAYS = re.compile(r"(?:^|[^0-9.,])([0-9]{1,3})\s*(?:ngày|ngay|days?)\b", re.IGNORECASE)
TESTS = ("1", "2", "3")


def runs_until(answers: "Answers", prescription: Row) -> date | None:
    """Return the last day that the doses of a prescription name."""
    lines = answers.viewing.shelf.lines_of("prescription_item", prescription["id"])
    texts = [" ; ".join(text for text in (one["dose"], one["instruction"]) if text is not None) for one in lines]
    named = [max(int(found[1]), 1) for text in texts if (found := DAYS.search(text))]
    return _on(prescription["ordered_at"]) + timedelta(days=max(named) - 1) if named else None


def is_running(answers: "Answers", prescription: Row) -> bool:
    """Tell whether its drugs last until today."""
    until = runs_until(answers, prescription) or _on(prescription["ordered_at"]) + timedelta(days=29)
    return until >= _on(now())


def advice(answers: "Answers", given: Shown) -> list[Shown]:
    """Return what the rules say of each code."""
    return [_advice(answers, code) for code in given["codes"]][:50]


def _advice(answers: "Answers", code: str) -> Shown:
    found = sorted(_candidates(answers, code), key=lambda one: one["line"])
    found.sort(key=lambda one: str(one["report"] or ""))
    found.sort(key=lambda one: str(one["study"] or "~"))
    found.sort(key=lambda one: one["at"], reverse=True)
    best = found[0] if found else None
    rule = answers.viewing.lists.rules.get(best["subject"] if best else _subject(answers, code))
    reason = _reason(best, rule)
    decided = (
        "REPEAT"
        if reason in {"NOTHING_FOUND", "NO_CONCLUSION", "TOO_OLD", "NOT_POSITIVE"}
        else "REUSE"
        if reason == "VALID"
        else "REUSE_WITH_CARE"
    )
    is_image = best is not None and best["subject"] == "IMAGING"
    hours = timedelta(hours=rule["longest_hours"]) if rule and not is_image else None
    return {
        "code": code,
        "advice": decided,
        "reason": reason,
        "explanation": WHY[reason][answers.viewing.language == "en"],
        "reportId": str(best["report"]) if best and best["report"] else None,
        "studyId": str(best["study"]) if best and best["study"] else None,
        **{key: best[key] if best else None for key in ("name", "valueText", "unit")},
        "facility": answers.facility(best["row"]) if best else None,
        "sampledAt": instant(best["at"]) if best else None,
        "goodUntil": instant(best["at"] + hours) if best and hours else None,
        "laboratoryLevel": None,
        "saves": number(best["price"]) if best else None,
        "source": rule["source"] if rule else None,
        "isConfirmed": rule["certainty"] == "confirmed" if rule else None,
    }


def _reason(  # noqa: PLR0911 - a reason each
    best: dict[str, Any] | None, rule: Row | None
) -> str:
    if best is None:
        return "NOTHING_FOUND"
    if best["subject"] == "IMAGING":
        return "NO_CONCLUSION" if best["conclusion"] is None else "NO_IMAGES"  # no facility here serves any
    age = now() - best["at"]
    if age > timedelta(hours=rule["longest_hours"] if rule else 1440):
        return "TOO_OLD"
    if rule and rule["positives_only"] and not _is_positive(best["valueText"] or ""):
        return "NOT_POSITIVE"
    if rule is None:
        return "NO_RULE"
    if age > timedelta(hours=rule["sure_hours"]):
        return "OLDER_THAN_SURE"
    return "LEVEL_UNKNOWN" if best["is_sampled"] else "SAMPLE_TIME_UNKNOWN"


def _is_positive(text: str) -> bool:
    told = text.lower()
    says_no = ("âm tính", "negative", "not detected", "không phát hiện", "chưa phát hiện", "dương tính giả")
    return any(word in told for word in ("dương", "positive", "detected", "phát hiện", "+")) and not any(
        word in told for word in says_no
    )


def _candidates(answers: "Answers", code: str) -> Iterator[dict[str, Any]]:
    shelf, units, rules = answers.viewing.shelf, answers.viewing.lists.units, answers.viewing.lists.rules
    subject = _subject(answers, code)
    codes = {code.upper(), *(known for (known, _), rule in units.items() if rule["analyte"].upper() == subject)}
    for report in shelf.records["test_report"]:
        lines = shelf.lines_of("test_result", report["id"])
        for row in lines:
            if (row["code"] or "").upper() in codes and row["code"] is not None:
                yield _found(answers, report, subject, row["line"], plain(row, "name", "value_text", "unit"))
        if (report["service_code"] or "").upper() == code.upper() and report["service_code"] is not None:
            of = report["category"] if report["category"] != "LABORATORY" else None
            if of is None:
                named = {(row["code"] or "").upper() for row in lines}
                named |= {rule["analyte"].upper() for (known, _), rule in units.items() if known in named}
                fitting = sorted(
                    (rules[one]["sure_hours"], rules[one]["longest_hours"], one) for one in named if one in rules
                )
                of = fitting[0][2] if fitting else subject
            told = {"name": report["service_name"], "valueText": None, "unit": None}
            yield _found(answers, report, of, 0, told)
    for study in shelf.records["imaging_study"]:
        if (study["procedure_code"] or "").upper() == code.upper() and study["procedure_code"] is not None:
            yield {
                "report": None,
                "study": study["id"],
                "line": 0,
                "subject": "IMAGING",
                "row": study,
                "price": None,
                "name": study["procedure_name"],
                "valueText": None,
                "unit": None,
                "at": study["started_at"],
                "is_sampled": True,
                "conclusion": study["conclusion"],
            }


def _subject(answers: "Answers", code: str) -> str:
    units = answers.viewing.lists.units
    analytes = sorted(rule["analyte"].upper() for (known, _), rule in units.items() if known == code.upper())
    return analytes[0] if analytes else code.upper()


def _found(answers: "Answers", report: Row, subject: str, line: int, told: Shown) -> dict[str, Any]:
    services = [
        one
        for one in answers.viewing.shelf.lines_of("visit_service", report["visit_id"])
        if one["code"] is not None and one["code"].upper() == (report["service_code"] or "").upper()
    ]
    performed = [one["performed_at"] for one in services if one["performed_at"] is not None]
    ordered = [one["ordered_at"] for one in services]
    at: datetime | None = report["sampled_at"] or min(performed, default=None) or min(ordered, default=None)
    return {
        "report": report["id"],
        "study": None,
        "line": line,
        "subject": subject,
        "row": report,
        **told,
        "at": at or report["resulted_at"],
        "is_sampled": at is not None,
        "conclusion": report["conclusion"],
        "price": max((one["unit_price"] for one in services), default=None),
    }


def gaps(answers: "Answers") -> list[Shown]:
    """Return what a book lacks, the latest first."""
    found = {*_care_not_told(answers), *_results_not_told(answers)}
    ordered = sorted(found, key=lambda one: (one[0], one[1], one[3] or "~"))
    ordered.sort(key=lambda one: one[2], reverse=True)
    facilities = answers.viewing.lists.facilities
    return [
        {
            "kind": kind,
            "explanation": GAPS[kind][answers.viewing.language == "en"],
            "facilityCode": facility,
            "facility": plain(facilities[facility], "code", "name", "level") if facility in facilities else None,
            "aboutOn": day(about),
            "visitId": visit,
        }
        for kind, facility, about, visit in ordered
    ]


def _care_not_told(answers: "Answers") -> Iterator[tuple[str, str, date, str | None]]:
    shelf, a_day = answers.viewing.shelf, timedelta(days=1)
    for visit in shelf.records["visit"]:
        began, ended = _on(visit["started_at"]), _on(visit["ended_at"] or visit["started_at"])
        papers = [one for one in shelf.records["document"] if one["visit_id"] == visit["id"]]
        to = {one["referred_to_code"] for one in papers if one["kind"] == "REFERRAL"} | {visit["referred_to_code"]}
        for facility in to:
            if facility and _is_missing(shelf.records["visit"], facility, ended - a_day, ended + 30 * a_day, visit):
                yield "REFERRED_TO", facility, ended, str(visit["id"])
        origin = visit["referred_from_code"]
        if origin and _is_missing(shelf.records["visit"], origin, began - 60 * a_day, began + a_day, visit):
            yield "REFERRED_FROM", origin, began, str(visit["id"])
    for one in shelf.records["appointment"]:
        at = _on(one["starts_at"])
        nobody = _is_missing(shelf.records["visit"], one["facility_code"], at - 2 * a_day, at + 2 * a_day, None)
        if one["state"] == "LIVE" and nobody:
            yield "APPOINTMENT", one["facility_code"], at, None


def _is_missing(visits: Sequence[Row], facility: str, first: date, last: date, but: Row | None) -> bool:
    return last < _on(now()) and not any(
        one["facility_code"] == facility
        and (but is None or one["id"] != but["id"])
        and _on(one["started_at"]) <= last
        and _on(one["ended_at"] or one["started_at"]) >= first
        for one in visits
    )


def _results_not_told(answers: "Answers") -> Iterator[tuple[str, str, date, str | None]]:
    shelf = answers.viewing.shelf
    for visit in shelf.records["visit"]:
        has_tests = any(one["group_code"] in TESTS for one in shelf.lines_of("visit_service", visit["id"]))
        names = (visit["facility_code"], visit["source_id"])
        told = any(one["visit_id"] == visit["id"] for one in shelf.records["test_report"]) or any(
            (one["facility_code"], one["visit_source_id"]) == names for one in shelf.records["imaging_study"]
        )
        ended = _on(visit["ended_at"] or visit["started_at"])
        if has_tests and not told and ended + timedelta(days=7) < _on(now()):
            yield "RESULTS_MISSING", visit["facility_code"], _on(visit["started_at"]), str(visit["id"])


def _on(at: datetime) -> date:
    return at.astimezone(VIETNAM).date()
