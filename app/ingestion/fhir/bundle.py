"""The entries of a message and what their references mean. Nothing is ever fetched.

Source: FHIR R4 Bundle (resolving references), Reference, http.html#trules.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from app.core.errors import Text
from app.ingestion.fhir.nodes import LONGEST_CODE, Node
from app.ingestion.fhir.remarks import Remarks
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect

LONGEST_REFERENCE: Final = 2_000
_RELATIVE: Final = re.compile(r"([A-Z][A-Za-z]{2,40})/([A-Za-z0-9.-]{1,64})")
_ABSOLUTE: Final = re.compile(r"(https?://\S+/)([A-Z][A-Za-z]{2,40})/([A-Za-z0-9.-]{1,64})")
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]{2,40})\?(.+)", re.DOTALL)
_UUID: Final = re.compile(r"(?i)urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HISTORY: Final = re.compile(r"/_history/[A-Za-z0-9.-]{1,64}\Z")
_METHODS: Final = frozenset({"POST", "PUT", "DELETE"})
_READS: Final = frozenset({"GET", "HEAD"})
_METHOD_TYPES: Final = frozenset({"transaction", "batch"})


@dataclass(frozen=True, slots=True)
class Outside:
    """What is not in the message, by the names that the facility may have sent it under before."""

    names: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Entry:
    """One entry of a message."""

    index: int | None  # from 0; None for a resource that was sent alone
    resource: Node | None
    full_url: str | None = None
    method: str | None = None
    url: str | None = None
    contained: dict[str, Node] | None = None

    @property
    def is_delete(self) -> bool:
        """Tell whether the entry takes a resource back."""
        return self.method == "DELETE"

    def logical_id(self) -> str | None:
        """Return the resource's id, as it says itself or as the URL of an update says."""
        if self.resource is None:
            return None
        told = self.resource.code("id")
        if told is None and self.url is not None and (match := _RELATIVE.fullmatch(self.url)):
            told = match[2]
        return told

    def names(self) -> Iterator[str]:
        """Yield every name under which a later message may mean this resource."""
        if self.resource is None:
            return
        kind = self.resource.kind
        if self.full_url is not None and (not self.full_url.startswith("urn:uuid:") or _UUID.fullmatch(self.full_url)):
            yield self.full_url
        if (told := self.logical_id()) is not None:
            yield f"{kind}/{told}"
        alone = self.resource.value.get("identifier")
        several = self.resource.nodes("identifier") if isinstance(alone, list) else []
        single = self.resource.node("identifier") if isinstance(alone, dict) else None
        for identifier in (*several, *([single] if single else ())):
            value = identifier.text("value", longest=LONGEST_CODE)
            if value is not None:
                yield name_by_identifier(kind, identifier.code("system"), value)


def name_by_identifier(kind: str, system: str | None, value: str) -> str:
    """Return the one spelling of a conditional reference."""
    return f"{kind}?identifier={system or ''}|{value}"


class Bundle:
    """A message's entries, and what their references mean."""

    def __init__(self, document: Mapping[str, Any], *, remarks: Remarks) -> None:
        self.remarks = remarks
        kind = document["resourceType"]
        self.kind: str = kind
        if kind == "Bundle":
            self.root = Node(dict(document), step="Bundle", entry=None, remarks=remarks)
            self.type = self.root.code("type")
            self.entries = [self._entry(node, index) for index, node in enumerate(self._every_entry())]
        else:
            self.root = Node(dict(document), step=kind, entry=None, remarks=remarks)
            self.type = "single"
            self.entries = [Entry(index=None, resource=self.root)]
        self._contained: dict[int, dict[str, Node]] = {}
        self._by_url: dict[str, Entry] = {}
        self._by_name: dict[str, list[Entry]] = {}
        self._by_kind: dict[str, list[tuple[Entry, Node]]] = {}
        for entry in self.entries:
            self._index(entry)

    def _every_entry(self) -> list[Node]:
        """Return each entry at its place: one that is null, empty or no object is an empty one, and told so."""
        told = self.root.value.get("entry")
        if not isinstance(told, list):
            return self.root.nodes("entry")
        return [
            Node(
                one if isinstance(one, dict) else {},
                step=f"entry[{index}]",
                entry=index,
                remarks=self.remarks,
                above=self.root,
            )
            for index, one in enumerate(told)
        ]

    def _entry(self, node: Node, index: int) -> Entry:
        node.entry = index
        found = node.node("resource")
        resource = None
        if found is not None:
            resource = Node(found.value, step=f"Bundle.entry[{index}].resource", entry=index, remarks=self.remarks)
        url = node.text("fullUrl", longest=LONGEST_REFERENCE)
        entry = Entry(index=index, resource=resource, full_url=url and _one_case(url))
        request = node.node("request")
        if self.type not in _METHOD_TYPES:
            if resource is None:
                node.remark(FhirCode.ENTRY_EMPTY, Effect.REJECTS, "resource")
            return entry
        if request is None:
            node.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "request")
            return entry
        entry.method, entry.url = request.code("method"), request.text("url", longest=LONGEST_REFERENCE)
        self._judge_request(entry, request)
        if resource is None and entry.method in ("POST", "PUT"):
            node.remark(FhirCode.ENTRY_EMPTY, Effect.REJECTS, "resource")
        return entry

    @staticmethod
    def _judge_request(entry: Entry, request: Node) -> None:
        for name, value in (("method", entry.method), ("url", entry.url)):
            if value is None:
                request.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, name)
        if entry.method in _READS:
            request.remark(FhirCode.METHOD_IGNORED, Effect.NOTES, "method")
        elif entry.method is not None and entry.method not in _METHODS:
            request.remark(FhirCode.METHOD_REFUSED, Effect.REJECTS, "method")
        elif entry.url is not None and entry.resource is not None:
            target = re.split(r"[/?]", entry.url, maxsplit=1)[0]
            told = entry.resource.code("id")
            named = _RELATIVE.fullmatch(entry.url)
            if target != entry.resource.kind or (named and told is not None and named[2] != told):
                request.remark(FhirCode.URL_DIFFERS, Effect.REJECTS, "url")

    def _index(self, entry: Entry) -> None:
        if entry.resource is None:
            return
        if not entry.is_delete:
            self._by_kind.setdefault(entry.resource.kind, []).append((entry, entry.resource))
        if entry.full_url is not None:
            if entry.full_url in self._by_url:
                path = f"Bundle.entry[{entry.index}].fullUrl"
                self.remarks.add(FhirCode.FULL_URL_TWICE, Effect.REJECTS, entry=None, path=path)
            self._by_url[entry.full_url] = entry
        for name in set(entry.names()):
            self._by_name.setdefault(name, []).append(entry)

    def contained(self, resource: Node) -> dict[str, Node]:
        """Return the resources within a resource, by id."""
        known = self._contained.get(id(resource.value))
        if known is None:
            known = {told: one for one in resource.nodes("contained") if (told := one.code("id")) is not None}
            self._contained[id(resource.value)] = known
        return known

    def resources(self, kind: str) -> Sequence[tuple[Entry, Node]]:
        """Return the resources of a kind that are to be read, in their order."""
        return self._by_kind.get(kind, ())

    def follow(
        self, holder: Node, name: str, *, kinds: tuple[str, ...], of: Node | None = None
    ) -> Node | Outside | None:
        """Return what the reference in an element means: a resource here, names of one that is not, or nothing.

        `of` is the resource that contains others, where it is not `holder` itself.
        """
        reference = holder.node(name)
        return None if reference is None else self.resolve(reference, kinds=kinds, of=of or holder)

    def resolve(self, reference: Node, *, kinds: tuple[str, ...], of: Node) -> Node | Outside | None:
        """Resolve one Reference."""
        text = reference.text("reference", longest=LONGEST_REFERENCE)
        if text is None:
            return self._by_logical(reference, kinds=kinds)
        if text.startswith("#"):
            return self._typed(self.contained(of).get(text[1:]), reference, kinds=kinds)
        text = _one_case(_HISTORY.sub("", text))
        if conditional := _CONDITIONAL.fullmatch(text):
            return self._by_query(conditional, reference, kinds=kinds)
        return self._by_address(text, reference, kinds=kinds)

    def _by_address(self, text: str, reference: Node, *, kinds: tuple[str, ...]) -> Node | Outside | None:
        entry = self._by_url.get(text)
        relative = _RELATIVE.fullmatch(text)
        absolute = _ABSOLUTE.fullmatch(text)
        if entry is None and relative is not None:
            found = self._by_name.get(text, [])
            entry = found[0] if len(found) == 1 else None
        if entry is None and absolute is not None:
            return Outside((text, f"{absolute[2]}/{absolute[3]}"))
        if entry is None:
            return Outside((text,))
        return self._typed(entry.resource, reference, kinds=kinds)

    def _by_query(self, match: re.Match[str], reference: Node, *, kinds: tuple[str, ...]) -> Node | Outside | None:
        terms = parse_qsl(match[2], keep_blank_values=True)
        if len(terms) != 1 or terms[0][0] != "identifier":
            reference.remark(FhirCode.REFERENCE_UNRESOLVED, Effect.WARNS, "reference")
            return None
        system, _, value = terms[0][1].rpartition("|")
        return self._by_identifier(match[1], unquote(system), value, reference, kinds=kinds)

    def _by_logical(self, reference: Node, *, kinds: tuple[str, ...]) -> Node | Outside | None:
        identifier = reference.node("identifier")
        value = identifier.text("value", longest=LONGEST_CODE) if identifier else None
        if identifier is None or value is None:
            return None
        kind = reference.code("type") or kinds[0]
        return self._by_identifier(kind, identifier.code("system") or "", value, reference, kinds=kinds)

    def _by_identifier(
        self, kind: str, system: str, value: str, reference: Node, *, kinds: tuple[str, ...]
    ) -> Node | Outside | None:
        name = name_by_identifier(kind, system or None, value)
        found = self._by_name.get(name, [])
        if len(found) > 1:
            reference.remark(FhirCode.REFERENCE_AMBIGUOUS, Effect.REJECTS)
            return None
        if not found:
            return Outside((name,))
        return self._typed(found[0].resource, reference, kinds=kinds)

    @staticmethod
    def _typed(found: Node | None, reference: Node, *, kinds: tuple[str, ...]) -> Node | None:
        if found is None:
            reference.remark(FhirCode.REFERENCE_UNRESOLVED, Effect.WARNS)
            return None
        if found.kind not in kinds:
            wanted = " | ".join(kinds)
            reference.remark(FhirCode.REFERENCE_WRONG_TYPE, Effect.REJECTS, detail=Text(wanted, wanted))
            return None
        return found


def _one_case(address: str) -> str:
    """Return an address as all its writers write it: a UUID is the same in capitals. Source: RFC 9562, section 4."""
    return address.lower() if _UUID.fullmatch(address) else address
