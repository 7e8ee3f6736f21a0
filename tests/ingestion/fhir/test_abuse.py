"""Bombs and lies in JSON: each is refused with its place, within little memory, and nothing is ever fetched."""

import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.ingestion.fhir import FhirRefused, read_document, read_message
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from tests.ingestion.fhir import bundles

ROOT = Path(__file__).parents[3]


def resource_with(value: str) -> bytes:
    return f'{{"resourceType":"Observation","status":"final","valueQuantity":{{"value":{value}}}}}'.encode()


BOMBS: dict[str, tuple[bytes, FhirCode, str]] = {
    "b156_arrays": (b'{"resourceType":"Bundle","entry":' + b"[" * 100_000, FhirCode.JSON_TOO_DEEP, "at character"),
    "b156_objects": (b'{"a":' * 100_000, FhirCode.JSON_TOO_DEEP, "at character"),
    "b156_just_too_deep": (
        b'{"resourceType":"Bundle","x":' + b"[" * 70 + b"]" * 70 + b"}",
        FhirCode.JSON_TOO_DEEP,
        "Bundle.x[0][0]",
    ),
    "b157_1e999": (resource_with("1e999"), FhirCode.JSON_NUMBER, "Observation.valueQuantity.value"),
    "b157_tiny": (resource_with("1e-999"), FhirCode.JSON_NUMBER, "Observation.valueQuantity.value"),
    "b157_nan": (resource_with("NaN"), FhirCode.JSON_NUMBER, "Observation.valueQuantity.value"),
    "b157_infinity": (resource_with("-Infinity"), FhirCode.JSON_NUMBER, "Observation.valueQuantity.value"),
    "b157_digits": (resource_with("9" * 100_000), FhirCode.JSON_NUMBER, "Observation.valueQuantity.value"),
    "b157_fraction": (resource_with("0." + "9" * 100_000), FhirCode.JSON_NUMBER, "Observation.valueQuantity.value"),
    "b158_twice": (b'{"resourceType":"Patient","resourceType":"Bundle"}', FhirCode.JSON_NAME_TWICE, "resourceType"),
    "b158_twice_within": (
        b'{"resourceType":"Patient","name":[{"text":"A","text":"B"}]}',
        FhirCode.JSON_NAME_TWICE,
        "Patient.name[0].text",
    ),
    "b159_million": (b'{"resourceType":"Bundle","entry":[' + b"1," * 999_999 + b"1]}", FhirCode.JSON_TOO_MANY, ""),
    "b159_objects": (b'{"resourceType":"Bundle","entry":[' + b"{}," * 400_000 + b"{}]}", FhirCode.JSON_TOO_MANY, ""),
    "b160_entries": (
        b'{"resourceType":"Bundle","type":"batch","entry":[' + b"{}," * 10_000 + b"{}]}",
        FhirCode.BUNDLE_TOO_MANY_ENTRIES,
        "Bundle.entry",
    ),
    "b154_utf16": ('{"resourceType":"Patient"}'.encode("utf-16"), FhirCode.JSON_NOT_UTF8, "byte 1"),
    "b154_mark": (b'\xef\xbb\xbf{"resourceType":"Patient"}', FhirCode.JSON_NOT_UTF8, "byte order mark"),
    "b154_surrogate": (b'{"resourceType":"Patient","id":"\\ud800"}', FhirCode.JSON_TEXT, "Patient.id"),
    "b154_nul": (b'{"resourceType":"Patient","id":"a\\u0000"}', FhirCode.JSON_TEXT, "Patient.id"),
    "cut": (b'{"resourceType":"Patient"', FhirCode.JSON_MALFORMED, "character 26"),
    "two": (b"{}{}", FhirCode.JSON_MALFORMED, "character 3"),
    "list": (b"[]", FhirCode.NOT_A_RESOURCE, ""),
    "nameless": (b"{}", FhirCode.NOT_A_RESOURCE, ""),
    "empty": (b"  ", FhirCode.JSON_EMPTY, ""),
}


@pytest.mark.parametrize(("body", "reason", "place"), BOMBS.values(), ids=BOMBS)
def test_b156_to_b160_bombs_are_refused_with_their_place(body: bytes, reason: FhirCode, place: str) -> None:
    with pytest.raises(FhirRefused) as refusal:
        read_document(body)
    assert refusal.value.reason is reason
    assert place in refusal.value.text.en
    assert refusal.value.text.vi != refusal.value.text.en
    (problem,) = read_message(body).problems
    assert (problem.code, problem.effect) == (reason, Effect.REJECTS)


def test_b160_contained_a_thousand_deep() -> None:
    body = b'{"resourceType":"Patient","contained":[' * 1_000 + b'{"resourceType":"Patient"}' + b"]}" * 1_000
    with pytest.raises(FhirRefused) as refusal:
        read_document(body)
    assert refusal.value.reason is FhirCode.JSON_TOO_DEEP


_MEASURE = """
import re, resource, sys
from pathlib import Path
from app.ingestion.fhir import FhirRefused, read_document, read_message
def most():  # what a process took at its most; getrusage would count its parent too
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]

read_message(b'{"resourceType":"Patient"}')
body = sys.stdin.buffer.read()
before = most()
try:
    if sys.argv[1] == "document":
        read_document(body)
    else:
        read_message(body)
except FhirRefused:
    pass
print(before, most())
"""


def memory_mb(body: bytes, *, of: str) -> tuple[float, float]:
    """Return what a process of its own took at its most, before and after reading, in megabytes."""
    told = subprocess.run([sys.executable, "-c", _MEASURE, of], input=body, cwd=ROOT, capture_output=True, check=True)
    before, after = told.stdout.split()
    return int(before) / 1024, int(after) / 1024


@pytest.mark.parametrize("name", ["b156_arrays", "b157_digits", "b159_million", "b159_objects", "b160_entries"])
def test_b156_to_b160_bombs_take_less_than_50_megabytes(name: str) -> None:
    before, after = memory_mb(BOMBS[name][0], of="document")
    assert after - before < 50


def test_ten_megabytes_are_read_within_150_resident() -> None:
    body = bundles.large(most_bytes=10_000_000)
    assert 8_000_000 < len(body) < 10_485_760
    assert memory_mb(body, of="message")[1] < 150


def test_b160_nothing_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0)
        url = f"http://127.0.0.1:{canary.getsockname()[1]}"

        def lure(all_: dict[str, bundles.Json]) -> None:
            all_["paper"]["content"] = [{"attachment": {"contentType": "text/html", "url": f"{url}/page.html"}}]
            all_["binary"] = {"resourceType": "Binary", "contentType": "text/html", "data": "PHNjcmlwdD4="}
            all_["endpoint"]["address"] = f"{url}/dicom"
            all_["glucose"]["performer"] = [{"reference": f"{url}/Practitioner/1"}]
            all_["patient"]["photo"] = [{"url": f"{url}/photo"}]
            all_["patient"]["meta"] = {"profile": [f"{url}/profile"]}

        message = read_message(bundles.message(change=lure))
        assert [one for one in message.problems if one.effect is Effect.REJECTS] == []
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_reading_ten_thousand_entries_is_not_quadratic() -> None:
    entries = {f"d{number}": {**bundles.everything()["dispense"]} for number in range(3_000)}
    entries |= {f"r{number}": {**bundles.everything()["drug"]} for number in range(3_000)}
    body = bundles.encoded(bundles.bundle({"patient": bundles.patient(), **entries}, kind="batch"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    read_message(body)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 5
