"""Code systems by the words that the book uses for them.

Source: the URIs of FHIR R4 (terminologies-systems), of VN Core (fhir.hl7.org.vn) and the OIDs of HL7.
"""

ICD10 = "ICD10"

_WORDS = {
    "http://hl7.org/fhir/sid/icd-10": ICD10,
    "urn:oid:2.16.840.1.113883.6.3": ICD10,
    "http://fhir.hl7.org.vn/core/CodeSystem/vn-icd10-cs": ICD10,
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10_CM",
    "urn:oid:2.16.840.1.113883.6.90": "ICD10_CM",
    "http://snomed.info/sct": "SNOMED_CT",
    "urn:oid:2.16.840.1.113883.6.96": "SNOMED_CT",
    "http://loinc.org": "LOINC",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "urn:oid:2.16.840.1.113883.12.292": "CVX",
    "http://www.whocc.no/atc": "ATC",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    "http://hl7.org/fhir/sid/ndc": "NDC",
}


def system_word(uri: str | None) -> str | None:
    """Return the word for a code system; the URI itself where there is none."""
    return None if uri is None else _WORDS.get(uri, uri)
