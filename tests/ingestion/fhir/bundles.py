"""Make FHIR messages of a made-up hospital: one visit with everything, and then changed where a test asks."""

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

Json = dict[str, Any]
_DIGITS = re.compile(r'"@([^"]+)@"')
SID = "http://fhir.hl7.org.vn/core/sid"
FACILITY, VISIT_ID, PERSONAL_ID = "01901", "01901.2026.11.000777", "001185012345"
AT, END, ISSUED = "2026-11-20T08:15:00+07:00", "2026-11-20T10:30:00+07:00", "2026-11-20T09:40:00+07:00"
PRESCRIPTION = "01901abc1234-C"


def coded(system: str, code: str, text: str | None = None) -> Json:
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def ref(name: str) -> Json:
    return {"reference": f"urn:uuid:{name}"}


def patient() -> Json:
    return {
        "resourceType": "Patient",
        "identifier": [
            {"system": f"{SID}/cccd", "value": PERSONAL_ID},
            {"system": f"{SID}/bhyt", "value": "GD4010112345678"},
            {"type": {"coding": [{"code": "MR"}]}, "system": "urn:his:01901", "value": "BN0004521"},
        ],
        "name": [{"use": "official", "text": "Nguyễn Thị Hồng Ánh"}],
        "telecom": [{"system": "phone", "value": "0912345678"}],
        "gender": "female",
        "birthDate": "1985-03-12",
        "address": [{"text": "Số 12 phố Quán Sứ, Hà Nội"}],
    }


def encounter() -> Json:
    return {
        "resourceType": "Encounter",
        "identifier": [{"system": f"{SID}/ma-lk", "value": VISIT_ID}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [coded("urn:qd4750:ma-loai-kcb", "01")],
        "serviceType": coded("urn:qd4750:ma-khoa", "K01"),
        "subject": ref("patient"),
        "period": {"start": AT, "end": END},
        "reasonCode": [{"text": "Ho, sốt 3 ngày"}],
        "diagnosis": [
            {"condition": ref("main"), "use": coded("http://terminology.hl7.org/x", "DD"), "rank": 1},
            {"condition": ref("other"), "use": coded("http://terminology.hl7.org/x", "DD"), "rank": 2},
        ],
        "serviceProvider": ref("hospital"),
    }


def condition(code: str, text: str) -> Json:
    return {
        "resourceType": "Condition",
        "code": coded("http://hl7.org/fhir/sid/icd-10", code, text),
        "subject": ref("patient"),
        "encounter": ref("visit"),
    }


def observation(code: str, name: str, value: str, unit: str) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")],
        "code": coded("http://loinc.org", code, name),
        "subject": ref("patient"),
        "encounter": ref("visit"),
        "effectiveDateTime": ISSUED,
        "valueQuantity": {"value": f"@{value}@", "unit": unit},  # written as a number with these digits,
    }


def people() -> dict[str, Json]:
    """Return who was there, and the visit."""
    return {
        "patient": patient(),
        "hospital": {
            "resourceType": "Organization",
            "identifier": [{"system": f"{SID}/cskcb", "value": FACILITY}],
            "name": "Bệnh viện Thử nghiệm",
        },
        "doctor": {
            "resourceType": "Practitioner",
            "identifier": [{"system": f"{SID}/cchn", "value": "001234/BYT-CCHN"}],
            "name": [{"text": "Trần Văn Bình"}],
        },
        "visit": encounter(),
        "main": condition("J02.9", "Viêm họng cấp, không đặc hiệu"),
        "other": condition("I10", "Tăng huyết áp"),
    }


def lasting() -> dict[str, Json]:
    """Return what lasts beyond the visit."""
    return {
        "long": {
            **condition("E11.9", "Đái tháo đường típ 2"),
            "id": "cond-1",
            "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
            "onsetDateTime": "2019-05",
            "recordedDate": "2026-11-20",
        },
        "allergy": {
            "resourceType": "AllergyIntolerance",
            "id": "alg-1",
            "patient": ref("patient"),
            "code": coded("http://snomed.info/sct", "91936005", "Dị ứng penicillin"),
            "criticality": "high",
            "category": ["medication"],
            "recordedDate": "2020-01-02",
            "reaction": [{"manifestation": [{"text": "Nổi mề đay"}], "severity": "severe"}],
        },
    }


def given() -> dict[str, Json]:
    """Return what was prescribed and given."""
    return {
        "drug": {
            "resourceType": "MedicationRequest",
            "identifier": [{"value": "rx-1"}],
            "groupIdentifier": {"system": f"{SID}/ma-don-thuoc", "value": PRESCRIPTION},
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": coded("urn:qd4750:ma-thuoc", "40.48", "Paracetamol 500mg"),
            "subject": ref("patient"),
            "encounter": ref("visit"),
            "authoredOn": "2026-11-20T09:00:00+07:00",
            "requester": ref("doctor"),
            "dosageInstruction": [{"text": "1 viên/lần * 3 lần/ngày", "patientInstruction": "Uống sau ăn"}],
            "dispenseRequest": {"quantity": {"value": 15, "unit": "Viên"}},
        },
        "dispense": {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "medicationCodeableConcept": coded("urn:qd4750:ma-thuoc", "40.48", "Paracetamol 500mg"),
            "subject": ref("patient"),
            "context": ref("visit"),
            "authorizingPrescription": [ref("drug")],
            "whenHandedOver": END,
            "quantity": {"value": 15, "unit": "Viên"},
        },
        "shot": {
            "resourceType": "Immunization",
            "id": "imm-1",
            "status": "completed",
            "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "141", "Cúm mùa"),
            "patient": ref("patient"),
            "encounter": ref("visit"),
            "occurrenceDateTime": "2026-11-20T09:15:00+07:00",
            "lotNumber": "AB12",
            "performer": [{"actor": ref("doctor")}],
            "protocolApplied": [{"doseNumberPositiveInt": 1}],
            "reaction": [{"date": "2026-11-20T20:00:00+07:00", "detail": {"display": "Sốt nhẹ"}}],
        },
    }


def found() -> dict[str, Json]:
    """Return what was found and done."""
    return {
        "order": {
            "resourceType": "ServiceRequest",
            "status": "completed",
            "intent": "order",
            "subject": ref("patient"),
            "authoredOn": "2026-11-20T08:30:00+07:00",
        },
        "specimen": {"resourceType": "Specimen", "subject": ref("patient")},
        "glucose": observation("2345-7", "Glucose", "5.60", "mmol/L"),
        "report": {
            "resourceType": "DiagnosticReport",
            "identifier": [{"value": "xn-1"}],
            "basedOn": [ref("order")],
            "status": "final",
            "category": [coded("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB")],
            "code": coded("urn:qd4750:ma-dich-vu", "23.0075.1494", "Định lượng Glucose"),
            "subject": ref("patient"),
            "encounter": ref("visit"),
            "issued": ISSUED,
            "resultsInterpreter": [ref("doctor")],
            "specimen": [ref("specimen")],
            "result": [ref("glucose")],
            "conclusion": "Bình thường",
        },
        "weight": {**observation("29463-7", "Cân nặng", "72.50", "kg"), "category": [{"text": "x"}]},
        "procedure": {
            "resourceType": "Procedure",
            "status": "completed",
            "code": coded("urn:qd4750:ma-dich-vu", "15.0222.0900", "Khí dung mũi họng"),
            "subject": ref("patient"),
            "encounter": ref("visit"),
            "performedDateTime": "2026-11-20T09:20:00+07:00",
        },
    }


def pictures() -> dict[str, Json]:
    """Return what was seen."""
    return {
        "study": {
            "resourceType": "ImagingStudy",
            "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.840.99.1"}],
            "status": "available",
            "modality": [{"code": "DX"}],
            "subject": ref("patient"),
            "encounter": ref("visit"),
            "started": "2026-11-20T09:10:00+07:00",
            "endpoint": [ref("endpoint")],
        },
        "endpoint": {"resourceType": "Endpoint", "status": "active", "address": "https://pacs.example/dicom-web"},
        "picture": {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "category": [coded("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD")],
            "code": coded("urn:qd4750:ma-dich-vu", "18.0119.0028", "Chụp Xquang ngực thẳng"),
            "subject": ref("patient"),
            "encounter": ref("visit"),
            "issued": "2026-11-20T09:30:00+07:00",
            "imagingStudy": [ref("study")],
            "conclusion": "Không thấy tổn thương",
        },
    }


def papers() -> dict[str, Json]:
    """Return what the patient takes home."""
    return {
        "paper": {
            "resourceType": "DocumentReference",
            "id": "doc-1",
            "status": "current",
            "type": {"text": "Giấy ra viện"},
            "subject": ref("patient"),
            "date": END,
            "context": {"encounter": [ref("visit")]},
            "content": [{"attachment": {"contentType": "text/plain", "url": "urn:uuid:binary"}}],
        },
        "binary": {"resourceType": "Binary", "contentType": "text/plain", "data": "VMOhaSBraMOhbQ=="},
        "revisit": {
            "resourceType": "Appointment",
            "id": "app-1",
            "status": "booked",
            "serviceType": [coded("urn:qd4750:ma-khoa", "K01")],
            "start": "2026-12-20T08:00:00+07:00",
            "end": "2026-12-20T08:30:00+07:00",
            "participant": [
                {"actor": ref("patient"), "status": "accepted"},
                {"actor": ref("doctor"), "status": "accepted"},
            ],
        },
        "claim": {"resourceType": "Claim", "status": "active"},
    }


def everything() -> dict[str, Json]:
    """Return one visit with a resource of every kind that is read, by the name of its fullUrl."""
    return {**people(), **lasting(), **given(), **found(), **pictures(), **papers()}


def bundle(
    resources: Mapping[str, Json], *, kind: str = "transaction", made: str | None = "2026-11-20T11:00:00+07:00"
) -> Json:
    """Return a Bundle of resources by name."""
    entries = []
    for name, resource in resources.items():
        entry: Json = {"fullUrl": f"urn:uuid:{name}", "resource": deepcopy(resource)}
        if kind in {"transaction", "batch"}:
            entry["request"] = {"method": "POST", "url": resource["resourceType"]}
        entries.append(entry)
    return {"resourceType": "Bundle", "type": kind, **({"timestamp": made} if made else {}), "entry": entries}


def encoded(document: object) -> bytes:
    return _DIGITS.sub(r"\1", json.dumps(document, ensure_ascii=False)).encode()


def message(*names: str, kind: str = "transaction", change: Callable[[dict[str, Json]], object] | None = None) -> bytes:
    """Return a message of some of the resources, or of all, after a change."""
    resources = deepcopy(everything())
    if names:
        resources = {name: resources[name] for name in names}
    if change is not None:
        change(resources)
    return encoded(bundle(resources, kind=kind))


def large(*, most_bytes: int, person: str = PERSONAL_ID) -> bytes:
    """Return a Bundle of one visit with results of a hundred moments, as large as may be."""
    resources = {"patient": patient(), "visit": {**encounter(), "diagnosis": []}}
    resources["patient"]["identifier"] = [{"system": f"{SID}/cccd", "value": person}]
    resources["visit"]["identifier"][0]["value"] = f"V{person}"
    glucose = observation("2345-7", "Glucose", "5.60", "mmol/L")
    one = len(json.dumps(glucose).encode()) + 140
    note = "Ghi chú của bác sĩ về kết quả này. " * max(1, (most_bytes // 9_990 - one) // 45)
    for number in range(min(9_990, most_bytes // one)):
        moment = f"2026-11-20T09:{number // 2 % 50:02d}:{number % 2 * 30:02d}+07:00"
        resources[f"o{number}"] = {**glucose, "effectiveDateTime": moment, "note": [{"text": note}]}
    return encoded(bundle(resources, kind="batch"))
