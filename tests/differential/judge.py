"""Answers the product's operations from rows with graphql-core. Shares no code with the compiler or the mappings.

Its schema is the published SDL, so that it judges the contract. A field that it does not know ends the test: teach
it here, from the contract, never from the mapping.
Cursors are opaque in the contract; here they are `cursor:` and the order keys, and `canonical` brings real ones
into that form.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    build_schema,
    execute_sync,
)

from app.core.crypto import Place, Vault
from tests.differential import clinical, coming, ledger, reuse, trends
from tests.differential.rows import Lists, Row, Shelf
from tests.differential.sections import CLASSES, NOTICES, SECTION_OF, SECTIONS, UNDER_ME
from tests.differential.sees import Sees
from tests.differential.shown import VIETNAM, Shown, camel, day, identity, instant, instants, number, numbers, plain

SDL = Path(__file__).parents[2] / "graphql" / "schema.graphql"
JUDGE = build_schema(SDL.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """Who asks, in which language, and what rests of them."""

    shelf: Shelf
    lists: Lists
    vault: Vault
    language: str
    sees: Sees | None = None  # by a scope; nothing for the owner, who sees everything

    def judged(self, document: DocumentNode, variables: Mapping[str, object], operation: str | None) -> ExecutionResult:
        """Return what the contract wants for an operation."""
        found = execute_sync(
            JUDGE,
            document,
            root_value=Answers(self).root(),
            variable_values=dict(variables),
            operation_name=operation,
            field_resolver=_taught,
        )
        assert isinstance(found, ExecutionResult)
        return found


def _taught(source: Shown, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
    if info.field_name not in source:
        raise UntaughtField(f"{info.parent_type.name}.{info.field_name}: teach tests/differential/judge.py")
    value = source[info.field_name]
    return value(**given) if callable(value) else value


class UntaughtField(BaseException):
    """A field that the judge does not know; no error of the answer, so that nobody takes it for one."""


def parsed(text: bytes | str) -> Any:
    """Parse JSON that holds no key twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), [key for key, _ in pairs]
        return found

    return json.loads(text, object_pairs_hook=unique)


def canonical(value: Any) -> Any:
    """Return the value with its cursors told by their keys."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    keys = cursor_keys(value) if isinstance(value, str) else None
    return value if keys is None else _cursor(keys)


def cursor_keys(text: str) -> list[str] | None:
    """Return the order keys of a real cursor; nothing for any other text."""
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    return [str(key) for key in found[1:]] if isinstance(found, list) and len(found) > 1 else None


def _cursor(keys: Sequence[str]) -> str:
    return f"cursor:{json.dumps(list(keys))}"


@dataclass(frozen=True, slots=True)
class Answers:
    viewing: Viewing

    def root(self) -> Shown:
        of_a_scope = {"sharedHealthBook": self.shared, "previewShare": self.shared}
        return {"me": self.viewer, "healthBook": self.health_book, **of_a_scope}

    def health_book(self, citizenId: str | None = None) -> Shown:  # noqa: N803 - the contract's name
        shelf = self.viewing.shelf
        if citizenId is not None and citizenId.lower() != str(shelf.citizen["id"]):
            raise GraphQLError("absent, or not theirs", extensions={"code": "NOT_FOUND"})
        return self.book()

    def shared(self, **_asked: Any) -> Shown:
        """Return the book as a scope shows it: null where a section is not in it, and what is the owner's alone."""
        sees = self.viewing.sees
        assert sees is not None
        seen = Answers(replace(self.viewing, shelf=sees.shelf(self.viewing.shelf)))
        book = seen.book()
        sections = [name for name in SECTIONS if name in sees.sections]
        book |= {name: None for name, section in SECTION_OF.items() if section not in sections}
        return {
            **book,
            "version": "0",
            "scope": {**book["scope"], "sections": sections, **sees.told()},
            "coverage": None,
            "corrections": [] if sections == SECTIONS else None,
            "accessReceipts": (lambda **_given: []) if sections == SECTIONS else None,
        }

    def book(self) -> Shown:
        records = self.viewing.shelf.records
        return {
            "version": str(self.viewing.shelf.version),
            "scope": {
                "sections": SECTIONS,
                "sensitive": CLASSES,
                **dict.fromkeys(("from", "to", "facilityCodes", "recordIds")),
                "notice": NOTICES[self.viewing.language],
            },
            "owner": self.person(),
            "visits": lambda **given: self.page(records["visit"], "started_at", self.visit, given),
            "coverage": lambda: reuse.gaps(self)[:100],
            "corrections": [],  # nobody here asked: tests/records/test_corrections.py
            "prescriptions": lambda **given: self.page(
                [one for one in records["prescription"] if given.get("active") in {None, reuse.is_running(self, one)}],
                "ordered_at",
                self.prescription,
                given,
            ),
            "reuseAdvice": lambda **given: reuse.advice(self, given),
            "testResults": lambda **given: self.page(records["test_report"], "resulted_at", self.report, given),
            **clinical.sections(self),
            **coming.sections(self),
            "accessReceipts": lambda **given: ledger.receipts(self, given["entryIds"]),
            "testTrend": lambda **given: trends.trend(self, given),
            "documents": lambda **given: self.page(records["document"], "dated_at", self.document, given),
            "insurance": self.insurance,
            "withdrawals": self.withdrawals,
        }

    def viewer(self) -> Shown:
        """Return who asks; nobody here has a family, or said that a visit is not theirs."""
        family = ("dependants", "representatives", "askedToRepresent", "representationClaims")
        nothing: Shown = {key: [] for key in family}
        return {**self.person(), **nothing, "disownedVisits": [], **ledger.own(self)}

    def person(self) -> Shown:
        row, numbers = self.viewing.shelf.citizen, self.viewing.shelf.personal_ids
        if self.viewing.sees is not None:
            row, numbers = {**row, "phone_sealed": None, "address_sealed": None}, []
        return {
            "__typename": "Citizen",
            **identity(row, "id"),
            **plain(row, "full_name", "sex"),
            "birthDate": day(row["birth_on"]),
            "birthDateIsExact": row["birth_precision"] in {"DAY", "MINUTE"},
            "nationalId": self.opened("auth.identifier", "sealed", numbers[0]) if numbers else None,
            "phone": self.opened("auth.citizen", "phone_sealed", row) if row["phone_sealed"] else None,
            "address": self.opened("auth.citizen", "address_sealed", row) if row["address_sealed"] else None,
            "ethnicGroup": self.name("ethnic-group", row["ethnic_code"]) or row["ethnic_code"],
            "nationality": self.name("nationality", row["nationality_code"]) or row["nationality_code"],
            "occupation": self.name("occupation", row["occupation_code"]) or row["occupation_code"],
            "bloodGroup": row["blood_group"],
            **dict.fromkeys(UNDER_ME),
        }

    def opened(self, table: str, column: str, row: Row) -> str:
        place = Place(table=table, column=column, row_id=UUID(str(row["id"])))
        return self.viewing.vault.sealer.open(row[column], place=place).decode()

    def name(self, system: str, code: str | None) -> str | None:
        if (entry := self.viewing.lists.names.get((system, code or ""))) is None:
            return None
        english = entry["name_en"] if self.viewing.language == "en" else None
        return english if english is not None else str(entry["name_vi"])

    def name_or_code(self, system: str, code: str | None) -> str | None:
        return self.name(system, code) or code

    def facility(self, row: Row) -> Shown:
        return plain(self.viewing.lists.facilities[row["facility_code"]], "code", "name", "level")

    def filed(self, row: Row) -> Shown:
        """Return what every record shows; nobody here sent one twice, and its first sender is the owner's to know."""
        first = [one for one in self.viewing.shelf.versions if (one["record_id"], one["version"]) == (row["id"], 1)]
        provenance = {
            **plain(row, "version", "standard_version", "source_version"),
            **instants(row, "filed_at"),
            **identity(row, "message_id"),
            "sources": [self.source(one) for one in first if self.viewing.sees is None],
        }
        return {**identity(row, "id"), "facility": self.facility(row), "provenance": provenance, **self.hidden(row)}

    def source(self, row: Row) -> Shown:
        told = {"facility": self.facility(row), "sourceId": None, **identity(row, "message_id")}
        return {**told, "at": instant(row["filed_at"])}

    def hidden(self, row: Row) -> Shown:
        """Return what an owner is told of what others do not see."""
        if self.viewing.sees is not None:
            return {"isMasked": None, "sensitiveClasses": None}
        of = [name for bit, name in enumerate(CLASSES) if row["sensitive"] >> bit & 1]
        return {"isMasked": row["masked"], "sensitiveClasses": of}

    def visit(self, row: Row) -> Shown:
        lines = self.viewing.shelf.lines_of
        costs = {camel(name.removeprefix("cost_")): number(row[name]) for name in row if name.startswith("cost_")}
        return {
            **self.filed(row),
            **plain(row, "kind_code", "reason", "arrival_diagnosis", "discharge_diagnosis", "department_codes"),
            **plain(row, "treatment_days", "treatment", "advice", "record_number"),
            **instants(row, "started_at", "admitted_at", "ended_at"),
            **numbers(row, "weight_kg"),
            "kind": self.name("visit-kind", row["kind_code"]),
            "outcome": self.name_or_code("visit-outcome", row["outcome_code"]),
            "discharge": self.name_or_code("discharge-kind", row["discharge_code"]),
            "insuranceCategory": self.name_or_code("insurance-category", row["insurance_category_code"]),
            "diagnoses": [self.diagnosis(line) for line in lines("visit_diagnosis", row["id"])],
            "costs": {**costs, **instants(row, "paid_at")},
            "services": [self.service(line) for line in lines("visit_service", row["id"])],
            "insurance": [self.card(line) for line in lines("visit_insurance", row["id"])],
            "revisitOn": [day(one) for one in row["revisit_on"]],
            **plain(row, "referred_from_code", "referred_to_code"),
            "vitalSigns": self.vital_signs_of(row["id"]),
        }

    def vital_signs_of(self, visit: UUID) -> list[Shown]:
        every = (
            row for (table, _), lines in self.viewing.shelf.lines.items() if table == "vital_signs" for row in lines
        )
        of_the_visit = sorted(
            (row for row in every if row["visit_id"] == visit), key=lambda row: (row["measured_at"], row["line"])
        )
        return [self.vital_signs(row) for row in of_the_visit]

    def vital_signs(self, row: Row) -> Shown:
        return {
            **instants(row, "measured_at"),
            **plain(row, "pulse_per_minute", "breaths_per_minute"),
            **numbers(row, "temperature_celsius", "oxygen_saturation_percent"),
            "systolicMmHg": row["systolic_mmhg"],
            "diastolicMmHg": row["diastolic_mmhg"],
        }

    def document(self, row: Row) -> Shown:
        """Return a paper with all that any kind of paper shows."""
        kinds = {
            "DISCHARGE": "DischargePaper",
            "RECORD_SUMMARY": "RecordSummary",
            "REFERRAL": "ReferralPaper",
            "REEXAMINATION": "ReexaminationPaper",
            "PROGRESS": "ProgressReport",
        }
        facilities = self.viewing.lists.facilities
        signs = {line["line"]: line for line in self.viewing.shelf.lines_of("vital_signs", row["id"])}
        notes = self.viewing.shelf.lines_of("progress_note", row["id"])
        to = facilities.get(row["referred_to_code"] or "")
        return {
            **self.filed(row),
            "__typename": kinds[row["kind"]],
            **identity(row, "visit_id"),
            **instants(row, "dated_at", "started_at", "ended_at", "appointment_at"),
            **{
                camel(name): day(row[name])
                for name in ("issued_on", "rest_from", "rest_until", "valid_from", "valid_until")
            },
            **plain(row, "kind", "number", "register_number", "department_code", "arrival_diagnosis", "diagnosis"),
            **plain(row, "main_code", "signs", "course", "findings", "treatment", "services_used", "drugs_used"),
            **plain(row, "plan", "note", "referred_from_code", "referred_to_code", "transport", "escort_name"),
            **plain(row, "doctor_certificate", "signer_name", "father_name", "mother_name", "guardian_name"),
            **plain(row, "rest_days"),
            "department": self.name("department", row["department_code"]),
            "outcome": self.name_or_code("visit-outcome", row["outcome_code"]),
            "reason": self.name_or_code("referral-reason", row["reason_code"]),
            "referredTo": plain(to, "code", "name", "level") if to else None,
            "notes": [
                {
                    **plain(note, "line", "note", "stage", "consultation", "procedure", "author_certificate"),
                    **instants(note, "noted_at"),
                    "vitalSigns": self.vital_signs(signs[note["line"]]) if note["line"] in signs else None,
                }
                for note in sorted(notes, key=lambda note: (note["noted_at"], note["line"]))
            ],
        }

    def insurance(self) -> list[Shown]:
        shelf = self.viewing.shelf
        last: dict[bytes, Row] = {}
        for (table, _), lines in shelf.lines.items():
            for row in lines if table == "visit_insurance" else ():
                known = last.get(row["lookup"])
                order = (row["shown_at"], UUID(str(row["visit_id"])), -row["line"])
                if known is None or order > (known["shown_at"], UUID(str(known["visit_id"])), -known["line"]):
                    last[row["lookup"]] = row
        found = sorted(last.values(), key=lambda row: row["line"])
        found.sort(key=lambda row: row["shown_at"], reverse=True)
        return [self.insurance_card(row) for row in found]

    def insurance_card(self, row: Row) -> Shown:
        there = self.viewing.lists.facilities.get(row["registered_facility_code"] or "")
        return {
            **self.card(row),
            "registeredFacility": plain(there, "code", "name", "level") if there else None,
            "benefitLevel": self.name("insurance-benefit", row["benefit_code"]),
            "exemptFrom": day(row["exempt_from"]),
            "fiveYearsOn": day(row["five_years_on"]),
            "lastShownAt": instant(row["shown_at"]),
        }

    def withdrawals(self) -> list[Shown]:
        rows = sorted(
            self.viewing.shelf.records["withdrawal"], key=lambda row: (row["withdrawn_at"], row["id"]), reverse=True
        )
        return [
            {
                **identity(row, "id"),
                **plain(row, "kind", "reason"),
                "facility": self.facility(row),
                "visitStartedAt": instant(row["dated_at"]),
                **instants(row, "withdrawn_at") | self.hidden(row),
            }
            for row in rows
        ]

    def diagnosis(self, row: Row) -> Shown:
        return {**plain(row, "role", "code"), "name": self.name("icd10", row["code"])}

    def service(self, row: Row) -> Shown:
        return {
            **plain(row, "line", "group_code", "code", "name", "unit"),
            **numbers(row, "quantity", "unit_price", "amount", "insured_amount"),
            **instants(row, "ordered_at", "performed_at"),
            "groupName": self.name("cost-group", row["group_code"]),
        }

    def card(self, row: Row) -> Shown:
        return {
            **plain(row, "registered_facility_code"),
            "validFrom": day(row["valid_from"]),
            "validUntil": day(row["valid_until"]),
            "cardNumber": self.opened("book.visit_insurance", "number_sealed", row),
            **numbers(row, "benefit_percent"),
        }

    def prescription(self, row: Row) -> Shown:
        return {
            **self.filed(row),
            **identity(row, "visit_id"),
            **instants(row, "ordered_at"),
            **plain(row, "prescriber_certificate", "code"),
            "runsUntil": day(reuse.runs_until(self, row)),
            "items": [self.drug(line) for line in self.viewing.shelf.lines_of("prescription_item", row["id"])],
        }

    def drug(self, row: Row) -> Shown:
        return {
            **plain(row, "line", "drug_code", "drug_name", "strength", "form", "unit", "dose", "instruction"),
            **plain(row, "registration_number"),
            **numbers(row, "quantity"),
            "route": self.name_or_code("route", row["route_code"]),
        }

    def report(self, row: Row) -> Shown:
        return {
            **self.filed(row),
            **identity(row, "visit_id"),
            **plain(row, "category", "service_code", "service_name", "description", "conclusion"),
            **instants(row, "resulted_at", "sampled_at"),
            "results": [self.result(line) for line in self.viewing.shelf.lines_of("test_result", row["id"])],
        }

    def result(self, row: Row) -> Shown:
        return {
            **plain(row, "line", "code", "name", "value_text", "unit", "reference_range"),
            **plain(row, "interpretation"),
            **numbers(row, "value"),
        }

    def page(
        self, rows: Sequence[Row], dated: str, show: Callable[[Row], Shown], given: Shown, *, default: int = 20
    ) -> Shown:
        """Return a page of records, the newest first where no other order was asked for."""
        newest_first = given.get("order") != "SOONEST_FIRST"

        def keys(row: Row) -> tuple[datetime, UUID]:
            return row[dated], UUID(str(row["id"]))

        def cursor(row: Row) -> str:
            return _cursor([str(instant(row[dated])), str(row["id"])])

        kept = [row for row in rows if _fits(row, dated, given)]
        after = given.get("after")
        if after is not None:
            at, identity = cursor_keys(after) or ("", "")
            kept = [row for row in kept if (keys(row) < (datetime.fromisoformat(at), UUID(identity))) == newest_first]
        kept.sort(key=keys, reverse=newest_first)
        first = given.get("first")
        page = kept[: default if first is None else first]
        return {
            "edges": [{"cursor": cursor(row), "node": show(row)} for row in page],
            "nodes": [show(row) for row in page],
            "pageInfo": {
                "hasNextPage": len(kept) > len(page),
                "hasPreviousPage": after is not None,
                "startCursor": cursor(page[0]) if page else None,
                "endCursor": cursor(page[-1]) if page else None,
            },
        }


def _fits(row: Row, dated: str, given: Shown) -> bool:
    """Tell whether a record is of the days, the facility and the category that were asked for."""
    there = row[dated].astimezone(VIETNAM).date()
    first, last = given.get("from"), given.get("to")
    return (
        (first is None or there >= date.fromisoformat(first))
        and (last is None or there <= date.fromisoformat(last))
        and given.get("facilityCode") in {None, row.get("facility_code")}
        and (given.get("category") is None or given["category"] == row["category"])
        and (given.get("kind") is None or given["kind"] == row["kind"])
    )
