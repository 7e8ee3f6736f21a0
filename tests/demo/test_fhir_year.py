"""The demo's year by both doors: equal books, for every field that both can say."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from app.core.settings import Settings
from app.demo.care import year_of_care
from app.demo.fhir_writing import visit_bundle
from app.demo.messages import message
from app.demo.people import citizen
from app.demo.visits import DemoVisit
from app.ingestion.fhir import read_message
from tests import steps
from tests.conftest import TEMPLATE, Ground
from tests.people import Stand

TODAY = date(2026, 11, 22)
FACILITIES = ("01901", "79001", "48195")
VISIT = "v.facility_code || ' ' || v.source_id AS visit"
QUERIES = {
    "visits": f"""
        SELECT {VISIT}, kind_code, started_at, admitted_at, ended_at, reason, arrival_diagnosis, discharge_diagnosis,
               outcome_code, discharge_code, department_codes, treatment_days, weight_kg, record_number,
               insurance_category_code, referred_from_code, referred_to_code
          FROM book.visit v ORDER BY 1""",
    "diagnoses": f"""
        SELECT {VISIT}, d.line, d.role, d.code
          FROM book.visit v JOIN book.visit_diagnosis d ON d.visit_id = v.id ORDER BY 1, 2""",
    "cards": f"""
        SELECT {VISIT}, i.line, i.registered_facility_code, i.valid_from, i.valid_until, i.benefit_code
          FROM book.visit v JOIN book.visit_insurance i ON i.visit_id = v.id ORDER BY 1, 2""",
    "drugs": f"""
        SELECT {VISIT}, p.source_id, p.ordered_at, p.prescriber_certificate,
               row_number() OVER (PARTITION BY p.id ORDER BY i.line) AS place, i.drug_code, i.drug_name, i.form,
               i.route_code, i.quantity::float, i.unit, i.dose, i.instruction, i.registration_number,
               CASE WHEN i.strength ~ '^[0-9]+[a-zA-Z]+$' THEN i.strength END AS strength
          FROM book.visit v JOIN book.prescription p ON p.visit_id = v.id
          JOIN book.prescription_item i ON i.prescription_id = p.id ORDER BY 1, 2, 5""",
    "results": f"""
        SELECT {VISIT}, r.source_id, r.category, r.service_code, r.service_name, r.resulted_at, r.reader_certificate,
               r.description, r.conclusion, row_number() OVER (PARTITION BY r.id ORDER BY i.line) AS place,
               i.code, i.name, i.value_text, i.value::text, i.unit
          FROM book.visit v JOIN book.test_report r ON r.visit_id = v.id
          JOIN book.test_result i ON i.report_id = r.id ORDER BY 1, 2, 10""",
    "people": "SELECT c.full_name, c.sex, c.birth_on, c.birth_precision FROM auth.citizen c ORDER BY 1",
}


@pytest.fixture(scope="module")
def other(ground: Ground) -> Iterator[Settings]:
    """Return the settings of a second database."""
    name = f"t_{uuid4().hex[:12]}"
    ground.cluster.create_database(name, template=TEMPLATE)
    ground.cluster.psql(f"GRANT CONNECT ON DATABASE {name} TO ingest, worker, migrator, desk, api", database=name)
    found = ground.settings(name)
    yield found
    steps.close(found)
    ground.cluster.drop_database(name)


def visits() -> list[DemoVisit]:
    found = [visit for number in range(1, 4) for visit in year_of_care(citizen(number), today=TODAY)]
    return sorted(found, key=lambda visit: (visit.closed_at, visit.id))


def told(ground: Ground, settings: Settings) -> dict[str, list[dict[str, Any]]]:
    database = settings.database_url.rpartition("/")[2]
    return {
        name: json.loads(ground.cluster.psql(f"SELECT coalesce(json_agg(t), '[]') FROM ({query}) t", database))
        for name, query in QUERIES.items()
    }


def test_a_year_by_both_doors_gives_equal_books(
    ground: Ground, settings: Settings, other: Settings, stand: Stand
) -> None:
    speaks_fhir = Stand(other)
    xml, fhir = ({code: one.facility(code) for code in FACILITIES} for one in (stand, speaks_fhir))
    for visit in visits():
        assert stand.file(message([visit]).body, token=xml[visit.facility.code]) == "filed"
        assert speaks_fhir.file(visit_bundle(visit), token=fhir[visit.facility.code]) == "filed"
    by_xml, by_fhir = told(ground, settings), told(ground, other)
    assert len(by_xml["visits"]) > 20
    assert all(len(rows) > 2 for rows in by_xml.values())
    for name, rows in by_xml.items():
        assert by_fhir[name] == rows, name


def test_a_bundle_of_the_demo_has_no_remark() -> None:
    for visit in visits()[:20]:
        assert [one.code for one in read_message(visit_bundle(visit)).problems] == []
        assert visit_bundle(visit) == visit_bundle(visit)
