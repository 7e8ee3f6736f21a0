"""Bundles as other people write them: generators, national profiles, summaries."""

import itertools

from tests.ingestion.fhir.bundles import SID, Json

NUMBERS = itertools.count(1)


US = "http://hl7.org/fhir/us/core/StructureDefinition"


def number() -> str:
    return f"0791900{next(NUMBERS):05d}"


def patient(**changes: object) -> Json:
    return {
        "resourceType": "Patient",
        "id": f"p{next(NUMBERS)}",
        "identifier": [{"system": f"{SID}/cccd", "value": number()}],
        "name": [{"family": "Nguyễn", "given": ["Thị", "Lan"]}],
        "gender": "female",
        "birthDate": "1990-04-02",
        **changes,
    }


def visit(**changes: object) -> Json:
    return {
        "resourceType": "Encounter",
        "id": f"v{next(NUMBERS)}",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "urn:uuid:p"},
        "period": {"start": "2026-10-01T08:00:00+07:00"},
        **changes,
    }


def result(**changes: object) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}], "text": "Glucose"},
        "subject": {"reference": "urn:uuid:p"},
        "encounter": {"reference": "urn:uuid:v"},
        "effectiveDateTime": "2026-10-01T08:30:00+07:00",
        "valueQuantity": {"value": 5.6, "unit": "mmol/L"},
        **changes,
    }


def batch(*resources: Json, kind: str = "transaction", **changes: object) -> Json:
    entries = []
    for place, one in enumerate(resources):
        name = {"Patient": "p", "Encounter": "v"}.get(one.get("resourceType", ""), f"r{place}")
        entry: Json = {"fullUrl": f"urn:uuid:{name}", "resource": one}
        if kind in {"transaction", "batch"}:
            entry["request"] = {"method": "POST", "url": one.get("resourceType", "X")}
        entries.append(entry)
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **changes}


def synthea() -> Json:
    """Return what Synthea writes: US extensions, components, contained drugs, and much that no book shows."""
    race = {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2028-9"}}
    person = patient(
        extension=[
            {"url": f"{US}/us-core-race", "extension": [race, {"url": "text", "valueString": "Asian"}]},
            {"url": "http://synthetichealth.github.io/synthea/disability-adjusted-life-years", "valueDecimal": 0.01},
        ],
        maritalStatus={"text": "Never Married"},
        multipleBirthBoolean=False,
        communication=[{"language": {"text": "English"}}],
        _birthDate={"extension": [{"url": f"{US}/patient-birthTime", "valueDateTime": "1990-04-02T03:04:05+07:00"}]},
    )
    about: Json = {"subject": {"reference": "urn:uuid:p"}, "encounter": {"reference": "urn:uuid:v"}}
    pressure = result(
        code={"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood Pressure"}]},
        component=[
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}]},
                "valueQuantity": {"value": value, "unit": "mm[Hg]", "code": "mm[Hg]"},
            }
            for code, name, value in (("8462-4", "Diastolic", 80.123456789012), ("8480-6", "Systolic", 121))
        ],
    )
    pressure.pop("valueQuantity")
    drug: Json = {
        "resourceType": "MedicationRequest",
        "status": "stopped",
        "intent": "order",
        **about,
        "authoredOn": "2026-10-01T08:40:00+07:00",
        "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Amoxicillin 250 MG"}}],
        "medicationReference": {"reference": "#m"},
        "dosageInstruction": [{"sequence": 1, "asNeededBoolean": True}],
    }
    apart: Json = {"resourceType": "Medication", "code": {"coding": [{"code": "308136", "display": "amlodipine"}]}}
    beside: list[Json] = [
        {"resourceType": kind, "status": "active", **about}
        for kind in (
            *("Claim", "ExplanationOfBenefit", "CarePlan", "CareTeam", "Goal", "Device", "SupplyDelivery", "Media"),
            *("Location", "Organization", "Practitioner", "PractitionerRole", "Provenance", "ClinicalImpression"),
            *("QuestionnaireResponse", "MedicationAdministration", "MedicationStatement", "List", "Communication"),
        )
    ]
    refers: Json = {**drug, "medicationReference": {"reference": "urn:uuid:r4"}}
    refers.pop("contained")
    return batch(person, visit(), pressure, drug, apart, refers, *beside)


def ips() -> Json:
    person = patient()
    about = {"reference": f"Patient/{person['id']}"}
    mark = person["id"]
    condition: Json = {
        "resourceType": "Condition",
        "id": f"c{mark}",
        "subject": about,
        "code": {"text": "Hen phế quản"},
    }
    allergy: Json = {
        "resourceType": "AllergyIntolerance",
        "id": f"a{mark}",
        "patient": about,
        "code": {"text": "Penicillin"},
    }
    composition: Json = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "60591-5"}]},
        "subject": about,
        "date": "2026-10-01T09:00:00+07:00",
        "title": "IPS",
        "author": [{"display": "x"}],
        "section": [{"title": "Problems", "entry": [{"reference": f"Condition/c{mark}"}]}],
    }
    base = "http://example.org/fhir"
    entries = [
        {"fullUrl": f"{base}/{one['resourceType']}/{one.get('id', 'x')}", "resource": one}
        for one in (composition, person, condition, allergy)
    ]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:oid:2.16.724.4.8.10.200.10", "value": "1"},
        "type": "document",
        "timestamp": "2026-10-01T09:00:00+07:00",
        "entry": entries,
    }


def message_bundle() -> Json:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": "urn:x", "code": "admit"},
        "source": {"endpoint": "http://example.org"},
        "focus": [{"reference": "urn:uuid:v"}],
    }
    return batch(header, patient(), visit(), result(), kind="message")


def conditional() -> Json:
    """Return what a HAPI client writes: conditional creates and references, If-Match, PUT by id."""
    found = batch(patient(), visit(), result())
    who = found["entry"][0]["resource"]["identifier"][0]
    found["entry"][0]["request"]["ifNoneExist"] = f"identifier={who['system']}|{who['value']}"
    found["entry"][1]["resource"]["subject"] = {"reference": f"Patient?identifier={who['system']}|{who['value']}"}
    name = f"Encounter/{found['entry'][1]['resource']['id']}"
    found["entry"][1]["request"] = {"method": "PUT", "url": name, "ifMatch": 'W/"2"'}
    found["entry"][2]["resource"]["encounter"] = {"reference": name}
    return found


def many(count: int) -> Json:
    return batch(patient(), visit(), *(result(id=f"o{n}", code={"text": f"Chỉ số {n}"}) for n in range(count - 2)))


def doubled_urls() -> Json:
    found = batch(patient(), visit(), result(), result())
    found["entry"][3]["fullUrl"] = found["entry"][2]["fullUrl"]
    return found
