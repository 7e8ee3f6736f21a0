"""An operation becomes one SQL statement whose text is the response body.

declare (what a room's mapping says) → index (checked once) → compile (selection × declarations → SQL) → plan → run

Invariants: a field's value is made by PostgreSQL; identifiers come from declarations and from this package's
own aliases, never from a document; values of a document are bound, or are literals in a deployed function.
What cannot become SQL is `NotCompilable`. This package knows no room.
"""

from app.compiler.compile import compile_field, compile_operation
from app.compiler.index import Index
from app.compiler.inputs import InputSpec
from app.compiler.parameters import Parameter
from app.compiler.plan import Part, Plan, Statement
from app.compiler.refusal import BadDeclaration, NotCompilable
from app.compiler.run import Outcome, assemble, run_statement

__all__ = [
    "BadDeclaration",
    "Index",
    "InputSpec",
    "NotCompilable",
    "Outcome",
    "Parameter",
    "Part",
    "Plan",
    "Statement",
    "assemble",
    "compile_field",
    "compile_operation",
    "run_statement",
]
