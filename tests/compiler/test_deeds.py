"""Mutations as the compiler sees them: what was told, and the book that is opened later."""

import json

import pytest
import strawberry
from graphql import parse, validate

from app.compiler import Plan, compile_operation
from app.compiler import declare as rests
from app.compiler.index import Index
from app.compiler.inputs import InputSpec
from app.compiler.refusal import BadDeclaration, NotCompilable
from app.compiler.run import assemble, books_of, with_books
from app.core.deeds import Told
from app.core.errors import Invalid
from tests.compiler.bench import Bench
from tests.compiler.toy import (
    BOOK,
    INPUTS,
    Book,
    Citizen,
    Dose,
    Facility,
    FacilityRow,
    Measurement,
    Practitioner,
    Query,
)

KINDS = (Measurement, Dose, Citizen, Practitioner)


async def move(_session: object, **_asked: object) -> Told:
    return Told()


@strawberry.input(description="Where to.")
class MoveInput:
    idempotency_key: strawberry.ID
    code: str
    times: int = 2


@strawberry.type(description="What moving answers.")
class MovePayload:
    slip: str = rests.told("slip", description="Paper.")
    steps: list[int] | None = rests.told("steps", description="Steps.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda _told, own, inputs: own.code == inputs.told("code", "text"), description="Where."
    )
    book: Book | None = rests.opened(BOOK, arguments={"citizen_id": "citizen"}, description="Whose.")


@strawberry.type(description="Changes.")
class Mutation:
    @rests.mutation(rests.action(does=move), description="Move.")
    def move(self, input: MoveInput) -> MovePayload:  # noqa: A002
        raise NotImplementedError

    @rests.mutation(rests.action(does=move), description="Rest.")
    def rest(self) -> MovePayload | None: ...


SCHEMA = strawberry.Schema(Query, mutation=Mutation, types=KINDS)
INDEX = Index(SCHEMA, inputs=(*INPUTS, InputSpec(name="told", pg_type="jsonb")))


def plan_of(query: str) -> Plan:
    document = parse(query)
    assert validate(INDEX.schema, document) == []
    return compile_operation(INDEX, document)


def payload(bench: Bench, plan: Plan, told: dict[str, object]) -> bytes:
    (part,) = plan.parts
    statement = part.statement()
    values = {**plan.named(plan.bind({})), "in_told": json.dumps(told), "in_language": "vi"}
    found: bytes = bench.runner.run(bench.connection.fetchval(statement.sql, *statement.arguments(values)))
    return found


MOVE = """mutation ($to: MoveInput = {idempotencyKey: "k", code: "é"}) { gone: move(input: $to)
  { __typename slip steps facility { code } } }""".replace("MoveInput =", "MoveInput! =")


def test_a_payload_is_made_of_what_was_told_and_of_rows(bench: Bench) -> None:
    code = bench.runner.run(bench.connection.fetchval("SELECT code FROM toy.facility ORDER BY code LIMIT 1"))
    plan = plan_of(MOVE)

    text = payload(bench, plan, {"slip": 'ghi "chú" \\ \u2028', "steps": [1, 2], "code": code})

    assert json.loads(text) == {
        "__typename": "MovePayload",
        "slip": 'ghi "chú" \\ \u2028',
        "steps": [1, 2],
        "facility": {"code": code},
    }


def test_a_field_that_is_missing_or_unknown_is_named_and_no_value() -> None:
    plan = plan_of(MOVE)

    for sent, place in (
        ({"code": "secret"}, ".idempotencyKey"),
        ({"idempotencyKey": "k", "code": "secret", "Times": 1}, ".Times"),
        ({"idempotencyKey": "k", "code": "c", "times": "secret"}, ".times"),
    ):
        with pytest.raises(Invalid) as refused:
            plan.coerce({"to": sent})
        assert refused.value.text.en == f"Variable $to{place} is not valid."


@pytest.mark.parametrize("told", [{"steps": [1]}, {"slip": None}, {"slip": "x"}])
def test_what_was_not_told_is_null_or_a_fault(bench: Bench, told: dict[str, object]) -> None:
    plan = plan_of(MOVE.replace("facility { code }", ""))

    outcome = assemble(plan, {"gone": payload(bench, plan, told)})

    if told.get("slip") is None:
        assert (outcome.data, outcome.holes) == (b"null", (("gone", "slip"),))
    else:
        assert json.loads(outcome.data)["gone"]["steps"] is None


def test_the_book_of_a_payload_is_a_part_of_its_own(bench: Bench) -> None:
    plan = plan_of('mutation { move(input: {idempotencyKey: "k", code: "x"}) { slip mine: book { version } } }')
    (nested,) = plan.nested

    text = payload(bench, plan, {"slip": "s", "citizen": "c"})

    assert (nested.key, nested.opens, dict(nested.told)) == ("move.mine", "book", {"citizen_id": "citizen"})
    assert books_of(text) == [0]
    assert json.loads(with_books(text, {0: b'{"version":"7"}'})) == {"slip": "s", "mine": {"version": "7"}}
    assert json.loads(with_books(text, {0: None})) == {"slip": "s", "mine": None}


def test_an_input_is_read_with_its_defaults_and_its_key_order_does_not_matter() -> None:
    (part,) = plan_of(MOVE).parts
    assert part.deed is not None
    asked = part.deed.read(plan_of(MOVE).coerce({"to": {"code": "b", "idempotencyKey": "k"}}))

    assert asked.values == {"idempotencyKey": "k", "code": "b", "times": 2}
    assert json.loads(asked.text) == asked.values


def test_text_that_postgresql_cannot_hold_is_refused() -> None:
    (part,) = plan_of(MOVE).parts
    assert part.deed is not None
    for bad in ("\x00", "\ud800"):
        with pytest.raises(Invalid):
            part.deed.read(plan_of(MOVE).coerce({"to": {"code": bad, "idempotencyKey": "k"}}))


def test_a_subscription_is_not_compiled() -> None:
    with pytest.raises(NotCompilable):
        compile_operation(INDEX, parse("subscription { x }"))


def test_a_book_that_may_not_be_null_is_a_bad_declaration() -> None:
    @strawberry.type(description="Bad.")
    class Bad:
        book: Book = rests.opened(BOOK, arguments={}, description="Whose.")

    @strawberry.type(description="Changes.")
    class Worse:
        @rests.mutation(rests.action(does=move), description="Move.")
        def move(self) -> Bad:
            raise NotImplementedError

    with pytest.raises(BadDeclaration, match="opened after the commit"):
        Index(strawberry.Schema(Query, mutation=Worse, types=KINDS), inputs=(*INPUTS, *INDEX.inputs.values()))
