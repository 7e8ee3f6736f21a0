"""The glossary holds every class name of the business, and no name that is gone."""

import re
import unicodedata
from importlib import import_module
from pathlib import Path

from graphql import is_introspection_type, is_specified_scalar_type

from app.core.db import Row
from app.core.errors import ErrorCode
from app.gateway import plans
from app.ingestion import judging, verdict
from app.ingestion.catalogue import ProblemCode
from app.ingestion.fhir import EntryUse
from app.ingestion.fhir.words import FhirCode
from app.records import arrivals, filing
from app.sharing import scope

APP = Path(__file__).parents[2] / "app"
GLOSSARY = (APP / "GLOSSARY.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in GLOSSARY.splitlines() if re.match(r"\| (?!-|Name |Code )", line)]
WORDS = [cells[0].strip() for cells in ROWS]
NAMES = {word.strip("`") for word in WORDS if word.startswith("`")}
SCALARS = {"Date", "DateTime", "Decimal"}  # as GraphQL's own: no words of the business
VOCABULARIES = (
    arrivals.BirthPrecision,
    arrivals.IdentifierKind,
    filing.Change,
    FhirCode,
    EntryUse,
    ProblemCode,
    verdict.EntryOutcome,
    verdict.Effect,
    verdict.MessageStatus,
    verdict.Problem,
    verdict.RecordChange,
    verdict.SignatureState,
    verdict.VisitStatus,
    scope.SensitiveClass,
)


for tables in sorted(APP.glob("*/*tables.py")):
    import_module(f"app.{tables.parent.name}.{tables.stem}")


def rows(base: type[Row]) -> set[str]:
    return {kind.__name__ for kind in base.__subclasses__()} | {
        name for kind in base.__subclasses__() for name in rows(kind)
    }


def published() -> set[str]:
    known = plans.index().schema.type_map
    return {
        name
        for name, kind in known.items()
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind) and name not in SCALARS
    }


def of_mutations() -> set[str]:
    """Return `XInput` and `XPayload` of each mutation `x`: the pattern of the contract, no words of their own."""
    mutations = plans.index().schema.mutation_type
    fields = mutations.fields if mutations is not None else {}
    return {f"{name[0].upper()}{name[1:]}{end}" for name in fields for end in ("Input", "Payload")}


def stems() -> set[str]:
    """Return what stands for every class name: `VisitConnection` is a Connection of Visit, `VisitRow` rests one."""
    arriving = {name for name in vars(arrivals) if name.endswith("Arrival")}
    return {
        *(name.removesuffix("Row") for name in rows(Row)),
        *(name.removesuffix("Arrival") for name in arriving),
        *(re.sub(r"(?<=.)(Connection|Edge)$", "", name) for name in published() - of_mutations()),
        *(kind.__name__ for kind in VOCABULARIES),
        "Connection",
        "Edge",
    }


def test_every_class_name_stands_in_the_glossary() -> None:
    missing = sorted(stems() - NAMES)

    assert not missing, f"app/GLOSSARY.md lacks {', '.join(missing)}: add the words, or use one that is there"


def test_the_glossary_holds_no_name_that_is_gone() -> None:
    assert not sorted(NAMES - stems())


def test_no_word_stands_twice() -> None:
    assert len(WORDS) == len(set(WORDS))


def test_every_word_is_told_in_vietnamese_and_no_cell_is_empty() -> None:
    assert len(ROWS) > 50
    for cells in ROWS:
        assert len(cells) in {3, 5}, cells
        assert all(cell.strip() for cell in cells), cells
    assert unicodedata.is_normalized("NFC", GLOSSARY)


def test_what_a_receipt_and_an_error_say_is_explained() -> None:
    said = {
        *ErrorCode,
        *verdict.Effect,
        *verdict.MessageStatus,
        *verdict.RecordChange,
        *filing.Change,
        *judging.WAITS,
        *verdict.EntryOutcome,
    }

    assert not sorted(word for word in said if not re.search(rf"(?<![\w]){word}(?![\w])", GLOSSARY))
