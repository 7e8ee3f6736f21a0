"""Every operation that Hypothesis draws is answered as the judge answers it."""

import json

import pytest
from graphql import GraphQLError, parse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.compiler.bench import Bench, Viewing
from tests.compiler.interpreter import canonical, judged
from tests.compiler.operations import operations
from tests.compiler.rows import ABSENT, BROKEN, EMPTY, FULL

CURSORS = """{
  book { visits(first: 50) { edges { cursor } } entries(first: 20) { edges { cursor } } }
}"""
VIEWINGS = st.builds(
    Viewing,
    citizen=st.sampled_from([FULL, FULL, BROKEN, EMPTY, ABSENT]),
    sections=st.sampled_from([3, 3, 3, 0, 1, 2]),
    language=st.sampled_from(["vi", "en"]),
    viewer=st.sampled_from([1, 2, 3, 4]),
)


@pytest.fixture(scope="session")
def cursors(bench: Bench) -> dict[str, dict[str, list[str]]]:
    """Real cursors by citizen and field."""
    found = _Quiet()
    for citizen in (FULL, BROKEN):
        book = bench.data(CURSORS, viewing=Viewing(citizen=citizen))["book"]
        found[str(citizen)] = {name: [edge["cursor"] for edge in book[name]["edges"]] for name in ("visits", "entries")}
    return found


class _Quiet(dict[str, dict[str, list[str]]]):
    def __repr__(self) -> str:
        return "real cursors"


@settings(
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(data=st.data(), viewing=VIEWINGS)
def test_a_drawn_operation_is_answered_as_the_judge_answers_it(
    bench: Bench, cursors: dict[str, dict[str, list[str]]], data: st.DataObject, viewing: Viewing
) -> None:
    drawn = data.draw(operations(cursors.get(str(viewing.citizen), {})))
    document = parse(drawn.document)

    outcome = bench.ask(document, drawn.variables, viewing)

    expected = judged(document, drawn.variables, viewing)
    assert json.dumps(canonical(json.loads(outcome.data))) == json.dumps(canonical(expected.data))
    assert set(outcome.holes) <= {_path(error) for error in expected.errors or ()}
    assert bool(outcome.holes) == bool(expected.errors)


def _path(error: GraphQLError) -> tuple[str | int, ...]:
    return tuple(error.path or ())
