"""Forward Relay connections: one page, its cursors, what is known of the next."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, VariableValues, get_named_type
from sqlalchemy import ARRAY, ColumnElement, Integer, and_, case, cast, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.compiler.cursors import cursor_text, decoded, key_type, tag
from app.compiler.inputs import Constant
from app.compiler.places import Order, Page, place_of
from app.compiler.reach import Paged, Reach, item_up, terms_of
from app.compiler.refusal import NotCompilable
from app.compiler.rows import RowColumn
from app.compiler.selection import Emission
from app.compiler.texts import JsonText, as_text, constant, joined, or_null

Element = ColumnElement[Any]
BOUNDLESS = {"timestamptz": "infinity", "date": "infinity", "numeric": "Infinity"}


def connection_text(reach: Reach) -> Element:
    """Return the connection's JSON text, in the order that the document or run time chooses."""
    orders, default = reach.place.orders, reach.place.order
    if not isinstance(default, Sequence):
        raise NotCompilable(f"{reach.name} has an order without keys")
    chosen = reach.given.get("order") if orders else None
    if chosen is None or not chosen.is_given:
        return _Connection(reach, default, None).text()
    if chosen.is_constant:
        return _Connection(reach, orders[str(chosen.constant)], None).text()
    said = chosen.sql(reach.build.parameters)
    branches = [(said == name, _Connection(reach, order, name).text()) for name, order in orders.items()]
    return case(*branches, else_=_Connection(reach, default, "").text())


class _Connection:
    """One connection in one order; `choice` is its name where run time chooses ("" for the default)."""

    def __init__(self, reach: Reach, order: Sequence[Order], choice: str | None) -> None:
        self.reach = reach
        self.build = reach.build
        self.choice = choice
        self.size = reach.size()
        self.source, self.own = reach.own()
        self.descending = [known.descending for known in order]
        self.mark = tag(reach.name, order)
        self.page = Paged(self.build.alias(), self.own, terms_of(order, self.own))
        self.types = [key_type(term.key.type) for term in self.page.terms]
        self.after = self._after()
        self.looks_ahead = False
        self.reads_rows = False

    def text(self) -> Element:
        kind = _object(get_named_type(self.reach.definition.type))
        below = self.reach.emission.below()
        self.looks_ahead = self._asks_for_next(kind)
        text: Element = self.build.object_text(kind, below, self.reach.up, self._value)
        if not self.reads_rows:
            if self.reach.place.root is None:
                return text
            # Whoever may not read the rows is told so, whatever is asked.
            text = case((func.count() >= literal(0), text))
        conditions = [*self.reach.conditions(self.own), *self._keyset()]
        if self.looks_ahead:
            order = [term.of(term.key) for term in self.page.terms]
            number = func.row_number().over(order_by=order).label(Paged.NUMBER.name)
            rows = self.page.rows(self.source, conditions, self.size.sql + 1, number)
        else:
            rows = self.page.rows(self.source, conditions, self.size.sql)
        return select(text).select_from(rows).scalar_subquery()

    def _asks_for_next(self, kind: GraphQLObjectType) -> bool:
        collect = self.build.selections.collect
        for emission in collect(kind, self.reach.emission.below()):
            definition = kind.fields.get(emission.node.name.value)
            if definition is None or place_of(definition) is not Page.INFO:
                continue
            info = _object(get_named_type(definition.type))
            for inner in collect(info, emission.below()):
                asked = info.fields.get(inner.node.name.value)
                if asked is not None and place_of(asked) is Page.HAS_NEXT:
                    return True
        return False

    def _value(self, definition: GraphQLField, emission: Emission, up: int) -> Element:
        kind = get_named_type(definition.type)
        text: Element
        match place_of(definition):
            case Page.EDGES:
                with self.build.repeated(self.size.most):
                    text = self.build.object_text(
                        _object(kind), emission.below(), item_up(definition.type, up), self._edge_value
                    )
                return self._listed(text)
            case Page.NODES:
                with self.build.repeated(self.size.most):
                    text = self._node(definition, emission, item_up(definition.type, up))
                return self._listed(text)
            case Page.INFO:
                return self.build.object_text(_object(kind), emission.below(), up, self._info_value)
            case Page.TOTAL:
                source, own = self.reach.own()
                counted = select(func.count()).select_from(source).where(*self.reach.conditions(own))
                return as_text(counted.scalar_subquery())
            case _:
                raise NotCompilable(f"{self.reach.name} has a field {emission.node.name.value} of its own")

    def _edge_value(self, definition: GraphQLField, emission: Emission, up: int) -> Element:
        match place_of(definition):
            case Page.CURSOR:
                return JsonText('"', cursor_text(self.mark, self.page.keys), '"')
            case Page.NODE:
                return self._node(definition, emission, up)
            case _:
                raise NotCompilable(f"an edge of {self.reach.name} has a field {emission.node.name.value} of its own")

    def _node(self, definition: GraphQLField, emission: Emission, up: int) -> Element:
        kind = get_named_type(definition.type)
        return self.build.node_text(kind, emission.below(), self.page.row, self.reach.place.kinds, up)

    def _info_value(self, definition: GraphQLField, emission: Emission, up: int) -> Element:
        match place_of(definition):
            case Page.HAS_NEXT:
                self.reads_rows = True
                return as_text(func.count() > self.size.sql)
            case Page.HAS_PREVIOUS:
                return as_text(self.after[0].is_not(None)) if self.after else constant("false")
            case Page.START:
                return or_null(self._cursor_at(literal(1)), up)
            case Page.END:
                last = func.least(func.count(), self.size.sql) if self.looks_ahead else func.count()
                return or_null(self._cursor_at(cast(last, Integer)), up)
            case _:
                raise NotCompilable(f"{self.reach.name} has page information {emission.node.name.value} of its own")

    def _listed(self, text: Element) -> Element:
        self.reads_rows = True
        if self.looks_ahead:  # the row that only shows that more follow is never made into text
            number = RowColumn(self.page.alias, Paged.NUMBER)
            text = case((number <= self.size.sql, text))
        return JsonText("[", joined(text, *self.page.order), "]")

    def _cursor_at(self, position: Element) -> Element:
        """Return the cursor of the row at a place: the keys are gathered, and only its own made into text."""
        self.reads_rows = True
        ends = [
            func.array_agg(aggregate_order_by(key, *self.page.order), type_=ARRAY(key.type))[position]
            for key in self.page.keys
        ]
        return JsonText('"', cursor_text(self.mark, ends), '"')

    def _after(self) -> list[Element]:
        """Return the order keys to start after (null when run time gives no cursor), or none when none can come."""
        after = self.reach.given["after"]
        if not after.is_given:
            return []
        if after.is_constant and self.choice is None:
            keys = decoded(str(after.constant), mark=self.mark, types=self.types, name=after.name)
            return [Constant(key, kind) for key, kind in zip(keys, self.types, strict=True)]
        order = self.reach.given.get("order")

        def key(at: int, variables: VariableValues) -> object:
            if self.choice is not None and order is not None and (order.read(variables) or "") != self.choice:
                return None
            cursor = after.read(variables)
            if cursor is None:
                return None
            return decoded(str(cursor), mark=self.mark, types=self.types, name=after.name)[at]

        return [
            self.build.parameters.declare(
                ("after", self.mark, self.choice, after.key, at),
                f"{after.variable or after.name}_{at + 1}",
                kind,
                partial(key, at),
            )
            for at, kind in enumerate(self.types)
        ]

    def _keyset(self) -> list[ColumnElement[bool]]:
        if not self.after:
            return []
        keys = [term.key for term in self.page.terms]
        beyond = _beyond(keys, self.after, self.descending)
        if not self.reach.given["after"].may_be_null and self.choice is None:
            return [beyond]
        found = [or_(self.after[0].is_(None), beyond)]
        boundless = BOUNDLESS.get(self.types[0])
        if boundless is not None:
            # A bound that an index can use, whether or not a cursor is given. Row-level security keeps COALESCE, which
            # PostgreSQL takes for leaky, away from an index; CASE it lets through.
            edge = constant(boundless if self.descending[0] else f"-{boundless}")
            start = case((self.after[0].is_(None), cast(edge, self.after[0].type)), else_=self.after[0])
            found.append(keys[0] <= start if self.descending[0] else keys[0] >= start)
        return found


def _beyond(keys: Sequence[Element], after: Sequence[Element], descending: Sequence[bool]) -> ColumnElement[bool]:
    """Return that a row follows the cursor's row, in these directions."""
    if len(set(descending)) == 1:
        here, there = tuple_(*keys), tuple_(*after)
        return here < there if descending[0] else here > there
    choices = []
    for at, (key, start) in enumerate(zip(keys, after, strict=True)):
        same = [keys[before] == after[before] for before in range(at)]
        choices.append(and_(*same, key < start if descending[at] else key > start))
    return or_(*choices)


def _object(kind: object) -> GraphQLObjectType:
    if not isinstance(kind, GraphQLObjectType):
        raise NotCompilable(f"{kind} is no object type")
    return kind
