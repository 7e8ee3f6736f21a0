import json
import re

import pytest
import strawberry
from graphql import FieldNode, GraphQLField, GraphQLString, OperationDefinitionNode, parse
from graphql.language import FragmentDefinitionNode

from app.compiler import Index, NotCompilable, Plan, assemble, compile_field, compile_operation, run_statement
from app.compiler import declare as rests
from app.core.errors import Invalid
from app.gateway import plans
from tests.compiler.bench import Bench, Viewing
from tests.compiler.rows import BROKEN, EMPTY, FULL
from tests.compiler.toy import BOOK, INDEX, INPUTS, BookRow, Citizen, Dose, Measurement, Practitioner, Query


def test_keys_stand_in_the_order_of_the_selection_and_merge(bench: Bench) -> None:
    query = """{
      book { ...B version book: __typename visits(first: 1) { nodes { days } } }
      book { visits(first: 1) { nodes { urgent days } totalCount } born: bornOn }
    }
    fragment B on Book { language ... on Book { version } }"""

    book = bench.data(query)["book"]

    assert list(book) == ["language", "version", "book", "visits", "born"]
    assert list(book["visits"]) == ["nodes", "totalCount"]
    assert list(book["visits"]["nodes"][0]) == ["days", "urgent"]


@pytest.mark.parametrize(
    ("early", "keys"), [(True, ["version", "language", "bornOn"]), (False, ["language", "bornOn", "version"])]
)
def test_a_key_stands_where_it_first_counts(bench: Bench, early: bool, keys: list[str]) -> None:  # noqa: FBT001
    query = """query($early: Boolean!) {
      book { version @include(if: $early) language bornOn version }
    }"""

    assert list(bench.data(query, {"early": early})["book"]) == keys


def test_an_object_of_which_nothing_is_asked_is_empty(bench: Bench) -> None:
    query = "query($no: Boolean = false) { book { version @include(if: $no) bornOn @skip(if: true) } }"

    assert bench.data(query) == {"book": {}}


def test_a_root_field_that_is_skipped_is_not_run() -> None:
    plan = compile_operation(INDEX, parse("query($x: Boolean!) { book @skip(if: $x) { version } me { name } }"))
    values = plan.named(plan.bind({"x": True}))

    assert [part.key for part in plan.parts if part.is_shown(values)] == ["me"]


def test_a_null_for_a_switch_is_refused() -> None:
    plan = compile_operation(INDEX, parse("query($x: Boolean = true) { book @skip(if: $x) { version } }"))

    with pytest.raises(Invalid, match=r"\$x"):
        plan.bind({"x": None})


def test_labels_speak_the_viewers_language(bench: Bench) -> None:
    query = "{ book { visits(first: 50) { nodes { mainDiagnosis { code name } } } } }"

    def names(language: str) -> set[str | None]:
        nodes = bench.data(query, viewing=Viewing(language=language))["book"]["visits"]["nodes"]
        found = [node["mainDiagnosis"] for node in nodes if node["mainDiagnosis"]]
        return {one["name"] for one in found if one["code"] in {"I10", "J45"}}

    assert names("vi") == {'vi:I10 "…"', 'vi:J45 "…"'}
    assert names("en") == {None, 'en:J45 "…"'}


def test_a_sealed_value_is_opened_after_the_statement(bench: Bench) -> None:
    query = "{ book { secret: nationalId phone } }"

    assert bench.data(query)["book"] == {"secret": f'"{"id-of-0" * 30}"', "phone": '"phone-of-0"'}
    plan = compile_operation(INDEX, parse(query))
    assert plan.sealed_paths == {("book", "secret"), ("book", "phone")}


def test_a_sealed_value_that_does_not_open_is_null_or_a_hole(bench: Bench) -> None:
    outcome = bench.ask("{ book { nationalId phone } }", viewing=Viewing(citizen=EMPTY))

    assert json.loads(outcome.data) == {"book": None}
    assert outcome.holes == (("book", "phone"),)


def test_a_null_that_the_contract_forbids_is_carried_up_and_told(bench: Bench) -> None:
    query = "{ book { lastVisits { plainCosts { total } } } }"

    outcome = bench.ask(query, viewing=Viewing(citizen=BROKEN))

    visits = json.loads(outcome.data)["book"]["lastVisits"]
    missing = [at for at, visit in enumerate(visits) if visit["plainCosts"] is None]
    assert missing
    assert outcome.holes == tuple(("book", "lastVisits", at, "plainCosts", "total") for at in missing)


def test_a_hole_in_a_connection_nulls_the_connection(bench: Bench) -> None:
    query = "{ book { version visits(first: 50) { edges { node { facility { code } } } } } }"

    outcome = bench.ask(query, viewing=Viewing(citizen=BROKEN))

    assert json.loads(outcome.data) == {"book": {"version": "v2", "visits": None}}
    assert all(hole[:3] == ("book", "visits", "edges") for hole in outcome.holes)


def test_values_that_no_contract_can_say_are_null_and_told(bench: Bench) -> None:
    query = "{ book { lastVisits { outcome weight counter } } }"

    outcome = bench.ask(query, viewing=Viewing(citizen=BROKEN))

    assert b"UNHEARD" not in outcome.data
    assert b"Infinity" not in outcome.data
    assert {hole[-1] for hole in outcome.holes} == {"outcome", "weight", "counter"}


def test_a_row_of_no_known_type_is_a_hole(bench: Bench) -> None:
    outcome = bench.ask("{ me { name } }", viewing=Viewing(viewer=4))

    assert outcome.data == b"null"
    assert outcome.holes == (("me",),)


@pytest.mark.parametrize(
    ("query", "is_read"),
    [
        ("{ healthBook { visits { nodes { id } } } }", False),
        ("{ healthBook { __typename } }", False),
        ("{ healthBook { version visits { nodes { id } } } }", True),
        ("query($g: ID!) { sharedHealthBook(grantId: $g) { allergies { id } } }", False),
        ("query($s: ShareScopeInput!) { previewShare(scope: $s) { version } }", True),
    ],
)
def test_a_book_that_its_opener_has_seen_is_read_for_what_is_asked_of_it(query: str, is_read: bool) -> None:  # noqa: FBT001
    (part,) = plans.compile_plain(parse(query), operation_name=None, key=query).plan.parts

    assert ("auth.book" in part.statement().sql) is is_read


def test_a_missing_root_row_is_null(bench: Bench) -> None:
    outcome = bench.ask("{ me { name } }", viewing=Viewing(viewer=99))

    assert outcome.data == b"null"
    assert outcome.holes == ()


@pytest.mark.parametrize("sections", [0, 1, 2, 3])
def test_a_section_out_of_scope_is_null_and_never_read(bench: Bench, sections: int) -> None:
    query = """{ book {
      visits { edges { node { diagnoses { code } } } totalCount }
      entries { nodes { title } }
      conditions(codes: ["J45"]) { code }
    } }"""
    viewing = Viewing(sections=sections)
    book = bench.data(query, viewing=viewing)["book"]
    assert [name for name, section in book.items() if section is not None] == [
        name for name, bit in (("visits", 1), ("entries", 2), ("conditions", 1)) if sections & bit
    ]

    text = bench.explained(query, viewing)
    for table, bit in (("visit", 1), ("diagnosis", 1), ("entry", 2)):
        scans = re.findall(rf"Scan.* on {table} .*\((.*)\)", text)
        assert scans
        assert all((scan == "never executed") == (not sections & bit) for scan in scans)


def test_empty_and_null_differ(bench: Bench) -> None:
    query = "{ book { visits { nodes { id } totalCount } entries { nodes { id } } lastVisits { id } } }"

    empty = bench.data(query, viewing=Viewing(citizen=EMPTY, sections=1))["book"]

    assert empty == {"visits": {"nodes": [], "totalCount": 0}, "entries": None, "lastVisits": []}


def test_constants_of_a_document_are_bound_for_a_client_and_literal_when_deployed(bench: Bench) -> None:
    odd = "it's $body$ \\ \x07 😀"
    said = json.dumps(odd, ensure_ascii=False)
    query = f"{{ facilities(search: {said}) {{ nodes {{ name }} }} }}"

    assert bench.data(query) == {"facilities": {"nodes": []}}
    (part,) = compile_operation(INDEX, parse(query)).parts
    statement = part.statement()
    assert "it's" not in statement.sql.replace("''", "'")
    assert odd in statement.arguments({})
    assert "$" not in part.body_sql()


def test_every_aggregate_says_its_order() -> None:
    query = """{ book {
      visits { edges { node { tags doses diagnoses { code } } } pageInfo { startCursor endCursor } }
      conditions(codes: []) { code } entries { nodes { id } } lastVisits { id }
    } }"""
    body = compile_operation(INDEX, parse(query)).parts[0].body_sql()

    aggregates = [at.end() for at in re.finditer(r"(string|array)_agg\(", body)]
    assert len(aggregates) == 10
    assert all(" ORDER BY " in _inside(body[start:]) for start in aggregates)


def _inside(text: str) -> str:
    """Return what stands between a parenthesis that was opened and its end, without what is nested deeper."""
    depth, shallow = 0, ""
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            break
        shallow += char if depth == 0 else ""
    return shallow


def test_a_plan_is_the_same_text_every_time() -> None:
    document = parse(
        "query($n: Int) { book { visits(first: $n) { nodes { tags doses } } conditions(codes: []) { code } } }"
    )

    first, second = (compile_operation(INDEX, document).parts[0] for _ in range(2))

    assert first.body_sql() == second.body_sql()
    assert first.statement().sql == second.statement().sql


def test_the_openers_arguments_are_sql_and_value() -> None:
    document = parse("query($who: ID) { a: book(citizenId: $who) { version } }")
    plan = compile_operation(INDEX, document)
    (part,) = plan.parts
    values = plan.named(plan.bind({"who": str(FULL)}))

    assert part.opens == "book"
    assert part.argument_sql("citizen_id") == "v_who"
    assert part.argument_value("citizen_id", values) == FULL


def test_an_absent_argument_of_the_opener_is_a_typed_null() -> None:
    (part,) = compile_operation(INDEX, parse("{ book { version } }")).parts

    assert part.argument_sql("citizen_id") == "CAST(NULL AS uuid)"
    assert part.argument_value("citizen_id", {}) is None


def test_a_filter_that_the_document_leaves_out_costs_nothing() -> None:
    (bare,) = compile_operation(INDEX, parse("{ book { visits { nodes { id } } } }")).parts
    (null,) = compile_operation(INDEX, parse("{ book { visits(kind: null) { nodes { id } } } }")).parts
    asked = parse("query($kind: VisitKind!) { book { visits(kind: $kind) { nodes { id } } } }")
    (never_null,) = compile_operation(INDEX, asked).parts

    assert bare.body_sql() == null.body_sql()
    assert "kind" not in bare.body_sql()
    assert "v_kind IS NULL" not in never_null.body_sql()


def test_cost_counts_fields_times_page_sizes() -> None:
    small = compile_operation(INDEX, parse("{ book { version visits(first: 2) { nodes { id days } } } }"))
    large = compile_operation(
        INDEX, parse("query($n: Int) { book { visits(first: $n) { nodes { diagnoses { code } } } } }")
    )

    assert small.cost == 1 + 1 + 1 + 2 * 2
    assert large.cost == 1 + 1 + 50 * (1 + 2 * 1)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{ clock }", "Query.clock is resolved in Python"),
        ("{ __schema { types { name } } }", "Query has no field __schema"),
        ("mutation { book }", "a mutation"),
        ("{ book { version @live } }", "directive @live"),
        ("{ book { ...F } }", "fragment F is not defined"),
        ("query A { clock } query B { clock }", "no such operation"),
    ],
)
def test_what_cannot_be_sql_is_refused_by_name(query: str, reason: str) -> None:
    with pytest.raises(NotCompilable, match=f"^{re.escape(reason)}$"):
        compile_operation(INDEX, parse(query))


def test_fragments_that_unfold_without_end_are_refused() -> None:
    switches = [f"$b{at}: Boolean!" for at in range(40)]
    fragments = [
        f"fragment F{at} on Book {{ ...F{at + 1} @include(if: $b{at}) ...F{at + 1} @include(if: $b{at + 20}) }}"
        for at in range(20)
    ]
    query = (
        f"query({' '.join(switches)}) {{ book {{ ...F0 }} }} {' '.join(fragments)} fragment F20 on Book {{ version }}"
    )

    with pytest.raises(NotCompilable, match="too many"):
        compile_operation(INDEX, parse(query))


def test_nesting_without_end_is_refused() -> None:
    def plan(depth: int) -> Plan:
        return compile_operation(
            INDEX, parse("{ facilities { nodes { " + "parent { " * depth + "code" + " }" * depth + " } } }")
        )

    with pytest.raises(NotCompilable, match="nests too deeply"):
        plan(19)

    assert plan(18).parts[0].body_sql()


def test_a_wide_document_is_one_statement_that_runs(bench: Bench) -> None:
    names = [f"a{at}" for at in range(3_000)]

    book = bench.data("{ book { " + " ".join(f"{name}: version" for name in names) + " } }")["book"]

    assert list(book) == names


def test_a_field_is_compiled_from_what_a_resolver_knows(bench: Bench) -> None:
    document = parse(
        """query($n: Int!) { other book(citizenId: null) { ...B } }
        fragment B on Book { visits(first: $n) { totalCount } }"""
    )
    operation, fragment = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert isinstance(fragment, FragmentDefinitionNode)
    node = operation.selection_set.selections[1]
    assert isinstance(node, FieldNode)
    assert INDEX.schema.query_type is not None

    plan = compile_field(INDEX, INDEX.schema.query_type, [node], operation=operation, fragments={"B": fragment})

    (part,) = plan.parts
    values = {**plan.named(plan.bind({"n": 2})), **Viewing().inputs()}
    text = bench.runner.run(run_statement(bench.connection, part.statement(), values))
    assert assemble(plan, {"book": text}).data == b'{"book":{"visits":{"totalCount":17}}}'


def test_the_text_has_no_space_that_is_not_asked_for(bench: Bench) -> None:
    outcome = bench.ask(
        "{ book { visits { edges { cursor node { id tags doses costs { total } } } pageInfo { hasNextPage } } } }"
    )

    again = json.dumps(json.loads(outcome.data), ensure_ascii=False, separators=(",", ":"))
    assert outcome.data.decode() == again


def test_an_interface_of_one_type_need_not_tell() -> None:
    @strawberry.interface(description="Something with a version.")
    class Versioned:
        version: str = rests.column(BookRow.version, description="Version.")

    @strawberry.type(description="The only one.")
    class Only(Versioned):
        pass

    @strawberry.type(description="Questions.")
    class Query:
        @rests.root(BOOK, description="It.")
        def it(self) -> Versioned | None: ...

    index = Index(strawberry.Schema(Query, types=[Only]), inputs=INPUTS)

    (part,) = compile_operation(index, parse("{ it { __typename ... on Only { version } } }")).parts
    assert "CASE" not in part.body_sql()
    assert '{"__typename":"Only","version":' in part.body_sql()


@pytest.mark.parametrize("selection", ["extra", "edges { extra }", "pageInfo { extra }"])
def test_a_connections_own_fields_are_refused(selection: str) -> None:
    schema = strawberry.Schema(Query, types=[Measurement, Dose, Citizen, Practitioner])
    index = Index(schema, inputs=INPUTS)
    for name in ("VisitConnection", "VisitEdge", "PageInfo"):
        index.object_type(name).fields["extra"] = GraphQLField(GraphQLString)

    with pytest.raises(NotCompilable, match="of its own"):
        compile_operation(index, parse(f"{{ book {{ visits {{ {selection} }} }} }}"))


def test_the_key_of_the_root_type_is_a_constant(bench: Bench) -> None:
    plan = compile_operation(INDEX, parse("query($x: Boolean!) { kind: __typename @include(if: $x) me { name } }"))

    assert (plan.parts[0].opens, plan.parts[0].body_sql()) == (None, "('\"Query\"')")
    assert bench.ask("{ a: __typename }").data == b'{"a":"Query"}'
