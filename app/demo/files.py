"""The data files that lie beside the demo's code; their origin stands in ORIGIN.md."""

import csv
import json
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from typing import Any


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with (resources.files(__package__) / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def document(name: str) -> Mapping[str, Any]:
    """Return a JSON object; its numbers with a point are Decimal."""
    text = (resources.files(__package__) / name).read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text, parse_float=Decimal)
    return found
