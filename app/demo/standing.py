"""What stands beside visits in the demo: vaccinations, images, allergies and lasting diseases, as FHIR Bundles.

Each of the first citizens has a Bundle of each facility that knows something. Its dates are fixed, or counted from the
birth; only what is to be due today is counted back from the day of loading.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from app.demo.fhir_writing import CODES, HL7, ICD_10, SID
from app.demo.files import document
from app.demo.messages import DemoMessage
from app.demo.people import Citizen, Practitioner, facility_of, practitioners
from app.records.arrivals import Sex

_CVX = "http://hl7.org/fhir/sid/cvx"
_NAMES = UUID("5f1a3c7e-0c7b-5a8e-9d55-3a2f1f6b7c10")
_STAY = timedelta(hours=1, minutes=30)
_READ = timedelta(minutes=35)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    """Of whom, and at which facility, a Bundle tells."""

    citizen: Citizen
    facility_code: str
    doctor: Practitioner
    reader: Practitioner
    today: date

    def name(self, key: str) -> str:
        return f"{self.facility_code}.{self.citizen.number:07d}.{key}"

    def uuid(self, key: str) -> UUID:
        return uuid5(_NAMES, self.name(key))

    def reference(self, key: str) -> Json:
        return {"reference": f"urn:uuid:{self.uuid(key)}"}

    def identifier(self, key: str) -> list[Json]:
        return [{"system": f"{SID}/ma-ban-ghi", "value": self.name(key)}]


def standing_messages(people: Iterable[Citizen], *, today: date) -> tuple[DemoMessage, ...]:
    """Return the Bundles about these people. Same arguments, same bytes."""
    by_number = {one.number: one for one in people}
    found = (entry for entry in document("standing.json")["bundles"] if entry["citizen"] in by_number)
    return tuple(_message(by_number[entry["citizen"]], entry, today=today) for entry in found)


def _message(citizen: Citizen, told: Mapping[str, Any], *, today: date) -> DemoMessage:
    code = facility_of(told["facility"]).code
    doctor = next(one for one in practitioners() if one.number == told["doctor"])
    reader = next(one for one in practitioners() if one.facility_code == code and one.reads_results)
    w = _Writing(citizen=citizen, facility_code=code, doctor=doctor, reader=reader, today=today)
    resources = dict(_resources(w, told))
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{w.uuid(key)}",
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for key, resource in resources.items()
        ],
    }
    visits = tuple(w.name(f"cdha-{one['key']}") for one in told["imaging"])
    return DemoMessage(facility_code=code, body=json.dumps(bundle, ensure_ascii=False).encode(), visit_ids=visits)


def _resources(w: _Writing, told: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    yield "patient", _patient(w)
    for one in told["vaccinations"]:
        yield one["key"], _immunization(w, one)
    for one in told["allergies"]:
        yield one["key"], _allergy(w, one)
    for one in told["conditions"]:
        yield one["key"], _condition(w, one)
    for one in told["imaging"]:
        yield from _study(w, one)


def _patient(w: _Writing) -> Json:
    citizen = w.citizen
    return {
        "resourceType": "Patient",
        "identifier": [
            {"system": f"{SID}/cccd", "value": citizen.personal_id},
            {"system": f"{SID}/ma-bn", "value": f"{w.facility_code[:2]}{citizen.number:08d}"},
        ],
        "name": [{"use": "official", "text": citizen.full_name}],
        "telecom": [{"system": "phone", "value": citizen.phone}],
        "gender": "male" if citizen.sex is Sex.MALE else "female",
        "birthDate": citizen.birth_on.isoformat(),
        "address": [{"text": citizen.address}],
    }


def _immunization(w: _Writing, told: Mapping[str, Any]) -> Json:
    on = _day(w, told)
    found: Json = {
        "resourceType": "Immunization",
        "identifier": w.identifier(told["key"]),
        "status": "completed",
        "vaccineCode": {"coding": [{"system": _CVX, "code": told["cvx"]}], "text": told["name"]},
        "patient": w.reference("patient"),
        "occurrenceDateTime": f"{on}T08:30:00+07:00",
        "lotNumber": told["lot"],
        "manufacturer": {"display": told["maker"]},
        "fundingSource": {"coding": [{"system": f"{HL7}/immunization-funding-source", "code": told["programme"]}]},
        "performer": [{"actor": _practitioner(w.doctor)}],
        "protocolApplied": [{"doseNumberPositiveInt": told["dose"]}],
        "primarySource": True,
    }
    if "reaction" in told:
        found["reaction"] = [{"date": f"{on}T20:00:00+07:00", "detail": {"display": told["reaction"]}}]
    return found


def _day(w: _Writing, told: Mapping[str, Any]) -> date:
    if "age_days" in told:
        return w.citizen.birth_on + timedelta(days=told["age_days"])
    if "days_ago" in told:
        return w.today - timedelta(days=told["days_ago"])
    return date.fromisoformat(told["on"])


def _allergy(w: _Writing, told: Mapping[str, Any]) -> Json:
    found: Json = {
        "resourceType": "AllergyIntolerance",
        "identifier": w.identifier(told["key"]),
        "clinicalStatus": _listed("allergyintolerance-clinical", "active"),
        "verificationStatus": _listed("allergyintolerance-verification", "confirmed"),
        "code": {"coding": [{"system": told["system"], "code": told["code"]}], "text": told["substance"]},
        "patient": w.reference("patient"),
        "recordedDate": f"{told['on']}T09:00:00+07:00",
        "recorder": _practitioner(w.doctor),
    }
    if told["reaction"]:
        found |= {"type": "allergy", "category": [told["category"]], "criticality": told["criticality"]}
        found["reaction"] = [
            {
                "description": told["reaction"],
                "manifestation": [{"text": told["reaction"]}],
                "onset": f"{told['on']}T08:00:00+07:00",
                "severity": told["severity"],
            }
        ]
    return found


def _condition(w: _Writing, told: Mapping[str, Any]) -> Json:
    return {
        "resourceType": "Condition",
        "identifier": w.identifier(told["key"]),
        "clinicalStatus": _listed("condition-clinical", "active"),
        "verificationStatus": _listed("condition-ver-status", "confirmed"),
        "category": [_listed("condition-category", "problem-list-item")],
        "code": {"coding": [{"system": ICD_10, "code": told["icd10"]}], "text": told["name"]},
        "subject": w.reference("patient"),
        "onsetDateTime": told["onset"],
        "recordedDate": f"{told['on']}T09:00:00+07:00",
        "recorder": _practitioner(w.doctor),
        **({"note": [{"text": told["note"]}]} if told["note"] else {}),
    }


def _study(w: _Writing, told: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    """Yield a visit for an image: the Encounter with its Condition, the study and its report."""
    at = datetime.fromisoformat(told["at"])
    visit, disease, study = (f"{name}-{told['key']}" for name in ("cdha", "benh", "phim"))
    about = {"subject": w.reference("patient"), "encounter": w.reference(visit)}
    service = {"coding": [{"system": f"{CODES}/ma-dich-vu", "code": told["service"]}], "text": told["name"]}
    yield visit, _encounter(w, told, visit=visit, disease=disease)
    code = {"coding": [{"system": ICD_10, "code": told["icd10"]}], "text": told["diagnosis"]}
    yield disease, {"resourceType": "Condition", "code": code, **about}
    yield (
        study,
        {
            "resourceType": "ImagingStudy",
            "identifier": [
                {"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{w.uuid(study).int}"},
                {"type": {"coding": [{"system": f"{HL7}/v2-0203", "code": "ACSN"}]}, "value": w.name(study)},
            ],
            "status": "available",
            "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": told["modality"]}],
            "started": (at + timedelta(minutes=20)).isoformat(),
            "referrer": _practitioner(w.doctor),
            "numberOfSeries": told["series"],
            "numberOfInstances": told["images"],
            "procedureCode": [service],
            "series": [
                {
                    "uid": f"2.25.{w.uuid(f'{study}/1').int}",
                    "modality": {"code": told["modality"]},
                    "bodySite": {"display": told["site"]},
                }
            ],
            **about,
        },
    )
    words = base64.b64encode(told["description"].encode()).decode("ascii")
    yield (
        f"doc-{told['key']}",
        {
            "resourceType": "DiagnosticReport",
            "identifier": w.identifier(f"doc-{told['key']}"),
            "status": "final",
            "category": [{"coding": [{"system": f"{HL7}/v2-0074", "code": "RAD"}]}],
            "code": service,
            "issued": (at + _READ).isoformat(),
            "resultsInterpreter": [_practitioner(w.reader)],
            "imagingStudy": [w.reference(study)],
            "presentedForm": [{"contentType": "text/plain; charset=utf-8", "data": words}],
            "conclusion": told["conclusion"],
            **about,
        },
    )


def _encounter(w: _Writing, told: Mapping[str, Any], *, visit: str, disease: str) -> Json:
    role = {"coding": [{"system": f"{HL7}/diagnosis-role", "code": "DD"}]}
    number = {"system": f"{SID}/cskcb", "value": w.facility_code}
    return {
        "resourceType": "Encounter",
        "identifier": [{"system": f"{SID}/ma-lk", "value": w.name(visit)}],
        "status": "finished",
        "class": {"system": f"{HL7}/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": f"{CODES}/ma-loai-kcb", "code": "01"}]}],
        "serviceType": {"coding": [{"system": f"{CODES}/ma-khoa", "code": w.doctor.department_code}]},
        "subject": w.reference("patient"),
        "period": {"start": told["at"], "end": (datetime.fromisoformat(told["at"]) + _STAY).isoformat()},
        "reasonCode": [{"text": told["reason"]}],
        "diagnosis": [{"condition": w.reference(disease), "use": role, "rank": 1}],
        "serviceProvider": {"type": "Organization", "identifier": number},
    }


def _listed(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{HL7}/{system}", "code": code}]}


def _practitioner(one: Practitioner) -> Json:
    number = {"system": f"{SID}/cchn", "value": one.certificate}
    return {"type": "Practitioner", "identifier": number, "display": one.full_name}
