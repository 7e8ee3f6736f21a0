"""The greeting names what is there, and its first query can be asked."""

import json
import re
from base64 import b32decode

import pytest
from graphql import parse, validate

from app.demo.people import FACILITIES, FACTOR_SECRET, citizen
from app.demo.welcome import welcome
from app.gateway.schema import schema

URL = "http://127.0.0.1:8123"


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_addresses_are_whole(url: str) -> None:
    text = welcome(url=url)

    assert f"{URL}/graphql" in text
    assert f"{URL}/ingest/qd4750" in text
    assert f"{URL}/readyz" in text
    assert f"{URL}//" not in text


def test_everybody_that_can_be_asked_for_is_named() -> None:
    text = welcome(url=URL)

    for number in (1, 2, 3, 4):
        assert re.search(rf"citizen:{number} +{citizen(number).full_name}", text)
    for number, facility in enumerate(FACILITIES, start=1):
        assert re.search(rf"facility:{number} +{facility.code} {facility.name}", text)
    assert "citizen:3" in next(line for line in text.splitlines() if line.strip().startswith("citizen:4"))


def test_the_second_factor_of_the_first_citizen_can_be_typed_into_an_authenticator() -> None:
    (secret,) = re.findall(r"^  ([A-Z2-7]{32}) ", welcome(url=URL), re.MULTILINE)

    assert b32decode(secret) == FACTOR_SECRET


def test_the_greeting_is_in_both_languages() -> None:
    first, *_ = welcome(url=URL).splitlines()

    assert first == "Sổ Khỏe đã sẵn sàng. / Sổ Khỏe is ready."


def test_the_first_query_is_a_body_that_the_schema_answers() -> None:
    (body,) = re.findall(r"-d '(.*)'", welcome(url=URL))

    query = json.loads(body)["query"]

    assert validate(schema()._schema, parse(query)) == []


def test_the_lines_to_paste_are_one_command() -> None:
    lines = welcome(url=URL).splitlines()
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith("curl"))

    assert lines[start].endswith("\\")
    assert lines[start + 1].endswith("\\")
    assert "$TOKEN" in lines[start]
    assert lines[start - 1].strip().startswith("TOKEN=$(python3 dev.py sokhoe demo token --as citizen:1)")
