"""A visit as a hospital that speaks FHIR writes it: one transaction Bundle, with what R4 has words for.

What FHIR has no words for (costs, advice, papers of the output data) stays out; everything else is what the same visit
says in the tables of Decision 4750/QĐ-BYT.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.demo.catalogue import LABORATORY_GROUP
from app.demo.visits import DemoVisit, DrugLine, Measure, ServiceLine
from app.demo.writing import ended_at, treatment_days
from app.records.arrivals import Sex

SID = "http://fhir.hl7.org.vn/core/sid"
CODES = "http://fhir.hl7.org.vn/core/CodeSystem"
HL7 = "http://terminology.hl7.org/CodeSystem"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
_KIND_CLASSES = {"03": "IMP", "04": "IMP", "06": "IMP", "09": "SS"}
_IMAGING_GROUP = "2"
_CATEGORIES = {LABORATORY_GROUP: "LAB", _IMAGING_GROUP: "RAD"}
_FUNCTIONAL = "EC"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_STRENGTH = re.compile(r"(\d+)([a-zA-Z]+)")

Json = dict[str, Any]


def visit_bundle(visit: DemoVisit) -> bytes:
    """Write one visit as a transaction Bundle. Same visit, same bytes."""
    entries = [
        {
            "fullUrl": f"urn:uuid:{_uuid(visit, number)}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for number, resource in enumerate(_resources(visit))
    ]
    document = {
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": _moment(visit.closed_at),
        "entry": entries,
    }
    text = json.dumps(document, ensure_ascii=False, default=_digits)
    return re.sub(r'"@(-?[0-9.]+)@"', r"\1", text).encode()


def _digits(number: object) -> str:
    return f"@{number}@"  # written as a number with its own digits


def _uuid(visit: DemoVisit, number: int) -> str:
    own = f"{visit.facility.code}{visit.citizen.number:07d}"
    return f"00000000-0000-4{visit.number:03d}-8{number:03d}-{own:0>12}"[:36]


def _resources(visit: DemoVisit) -> Iterator[Json]:
    """Yield the resources in a fixed order: the first four are Patient, Encounter and its Conditions."""
    codes = [None, visit.main_code, *visit.other_codes]
    subject = {"reference": f"urn:uuid:{_uuid(visit, 0)}"}
    encounter = {"reference": f"urn:uuid:{_uuid(visit, 1)}"}
    about = {"subject": subject, "encounter": encounter}
    yield _patient(visit)
    yield _encounter(visit, subject, conditions=len(codes))
    for code in codes:
        yield {"resourceType": "Condition", "code": _diagnosis(visit, code), **about}
    yield {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": f"{HL7}/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Cân nặng"},
        "effectiveDateTime": _moment(visit.arrived_at),
        "valueQuantity": {"value": Decimal(visit.weight_kg), "unit": "kg", "code": "kg"},
        **about,
    }
    if (card := visit.citizen.insurance if visit.benefit_percent else None) is not None:
        year = visit.arrived_at.year
        yield {
            "resourceType": "Coverage",
            "identifier": [{"system": f"{SID}/bhyt", "value": card.number}],
            "status": "active",
            "beneficiary": subject,
            "period": {"start": f"{year}-01-01", "end": f"{year}-12-31"},
            "payor": [{"display": "Bảo hiểm xã hội Việt Nam"}],
            "class": [{"type": {"coding": [{"code": "group"}]}, "value": card.facility_code}],
        }
    yield from (_medication(visit, line, about) for line in visit.drugs)
    yield from (_report(visit, line, about) for line in visit.reports())


def _patient(visit: DemoVisit) -> Json:
    citizen = visit.citizen
    return {
        "resourceType": "Patient",
        "identifier": [
            {"system": f"{SID}/cccd", "value": citizen.personal_id},
            {"system": f"{SID}/ma-bn", "value": visit.patient_number},
        ],
        "name": [{"use": "official", "text": citizen.full_name}],
        "telecom": [{"system": "phone", "value": citizen.phone}] if citizen.phone else [],
        "gender": "male" if citizen.sex is Sex.MALE else "female",
        "birthDate": citizen.birth_on.isoformat(),
        "address": [{"text": citizen.address}],
    }


def _encounter(visit: DemoVisit, subject: Json, *, conditions: int) -> Json:
    stay: Json = {
        "dischargeDisposition": {
            "coding": [
                {"system": f"{CODES}/ma-loai-rv", "code": "2" if visit.referred_to else "1"},
                {"system": f"{CODES}/ket-qua-dtri", "code": str(visit.outcome)},
            ]
        }
    }
    for name, code in (("origin", visit.referred_from), ("destination", visit.referred_to)):
        if code:
            stay[name] = _by_number("Organization", "cskcb", code)
    record = f"{'BA' if visit.admitted_at else 'NT'}{visit.arrived_at:%y}.{visit.citizen.number:06d}.{visit.number:03d}"
    return {
        "resourceType": "Encounter",
        "identifier": [
            {"system": f"{SID}/ma-lk", "value": visit.id},
            {"system": f"{SID}/ma-hsba", "value": record},
        ],
        "status": "finished",
        "class": {"system": f"{HL7}/v3-ActCode", "code": _KIND_CLASSES.get(visit.kind, "AMB")},
        "classHistory": [
            {"class": {"system": f"{HL7}/v3-ActCode", "code": "IMP"}, "period": {"start": _moment(visit.admitted_at)}}
        ]
        if visit.admitted_at
        else [],
        "type": [
            {"coding": [{"system": f"{CODES}/ma-loai-kcb", "code": visit.kind}]},
            {"coding": [{"system": f"{CODES}/ma-doituong-kcb", "code": visit.category}]},
        ],
        "serviceType": {"coding": [{"system": f"{CODES}/ma-khoa", "code": visit.department}]},
        "subject": subject,
        "period": {"start": _moment(visit.arrived_at), "end": _moment(ended_at(visit))},
        "length": {"value": treatment_days(visit), "unit": "d", "code": "d"},
        "reasonCode": [{"text": visit.reason}],
        "diagnosis": [
            {
                "condition": {"reference": f"urn:uuid:{_uuid(visit, 2 + position)}"},
                "use": {"coding": [{"system": f"{HL7}/diagnosis-role", "code": "DD" if position else "AD"}]},
                **({"rank": position} if position else {}),
            }
            for position in range(conditions)
        ],
        "hospitalization": stay,
        "serviceProvider": _by_number("Organization", "cskcb", visit.facility.code),
    }


def _diagnosis(visit: DemoVisit, code: str | None) -> Json:
    if code is None:
        return {"text": visit.arrival_diagnosis}
    words = {"text": visit.discharge_diagnosis} if code == visit.main_code else {}
    return {"coding": [{"system": ICD_10, "code": code}], **words}


def _medication(visit: DemoVisit, line: DrugLine, about: Json) -> Json:
    drug = line.drug
    codings = [{"system": f"{CODES}/ma-thuoc", "code": drug.code}]
    if drug.registration:
        codings.append({"system": f"{CODES}/so-dang-ky", "code": drug.registration})
    medication: Json = {
        "resourceType": "Medication",
        "id": "m",
        "code": {"coding": codings, "text": drug.name},
        "form": {"text": drug.form},
    }
    if strength := _STRENGTH.fullmatch(drug.strength):
        medication["ingredient"] = [
            {
                "itemCodeableConcept": {"text": drug.name},
                "strength": {
                    "numerator": {"value": int(strength[1]), "unit": strength[2]},
                    "denominator": {"value": 1, "unit": "1"},
                },
            }
        ]
    return {
        "resourceType": "MedicationRequest",
        "contained": [medication],
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": "#m"},
        "authoredOn": _moment(line.ordered_at),
        "requester": _by_number("Practitioner", "cchn", visit.doctor.certificate),
        "dosageInstruction": [
            {
                "text": line.dose,
                "patientInstruction": line.how,
                "route": {"coding": [{"system": f"{CODES}/ma-duong-dung", "code": drug.route}]},
            }
        ],
        "dispenseRequest": {"quantity": {"value": line.quantity, "unit": drug.unit}},
        **about,
    }


def _report(visit: DemoVisit, line: ServiceLine, about: Json) -> Json:
    service = line.service
    contained = [_observation(measure, f"o{number}", line, about) for number, measure in enumerate(line.measures)]
    report: Json = {
        "resourceType": "DiagnosticReport",
        "contained": contained,
        "status": "final",
        "category": [{"coding": [{"system": f"{HL7}/v2-0074", "code": _CATEGORIES.get(service.group, _FUNCTIONAL)}]}],
        "code": {"coding": [{"system": f"{CODES}/ma-dich-vu", "code": service.code}], "text": service.name},
        "issued": _moment(line.resulted_at),
        "resultsInterpreter": [_by_number("Practitioner", "cchn", visit.reader.certificate)],
        "result": [{"reference": f"#{one['id']}"} for one in contained],
        **about,
    }
    if line.conclusion:
        report["conclusion"] = line.conclusion
    if line.description:
        data = base64.b64encode(line.description.encode()).decode("ascii")
        report["presentedForm"] = [{"contentType": "text/plain; charset=utf-8", "data": data}]
    return report


def _observation(measure: Measure, name: str, line: ServiceLine, about: Json) -> Json:
    value: Json = {"valueString": measure.value}
    if _NUMBER.fullmatch(measure.value):
        unit = {"unit": measure.unit} if measure.unit else {}
        value = {"valueQuantity": {"value": Decimal(measure.value), **unit}}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": f"{CODES}/ma-chi-so", "code": measure.code}], "text": measure.index.name},
        "effectiveDateTime": _moment(line.resulted_at),
        **value,
        **about,
    }


def _by_number(kind: str, system: str, value: str) -> Json:
    return {"type": kind, "identifier": {"system": f"{SID}/{system}", "value": value}}


def _moment(at: datetime | date | None) -> str:
    return at.isoformat() if at else ""


def bundles(visits: Sequence[DemoVisit]) -> Iterator[tuple[str, bytes]]:
    """Yield facility and Bundle of each visit, in their order."""
    for visit in visits:
        yield visit.facility.code, visit_bundle(visit)
