"""Practitioners and organizations behind a reference, in words."""

from app.ingestion.fhir.bundle import Bundle, Outside
from app.ingestion.fhir.nodes import Node
from app.ingestion.fhir.systems import Number, first_number, last_part

_WHO = ("Practitioner", "PractitionerRole", "Organization", "Patient", "RelatedPerson", "Device", "CareTeam")


def who(bundle: Bundle, holder: Node, name: str, *, of: Node | None = None) -> tuple[str | None, str | None]:
    """Return name and certificate of whom a reference means."""
    reference = holder.node(name)
    return (None, None) if reference is None else _who(bundle, reference, of=of or holder)


def first_of(bundle: Bundle, resource: Node, *names: str) -> tuple[str | None, str | None]:
    """Return name and certificate of the first person with a certificate that a list of references holds."""
    best: tuple[str | None, str | None] = (None, None)
    for name in names:
        for reference in resource.nodes(name):
            found = _who(bundle, reference, of=resource)
            if found[1] is not None:
                return found
            best = best if best[0] else found
    return best


def _who(bundle: Bundle, reference: Node, *, of: Node) -> tuple[str | None, str | None]:
    display = reference.text("display")
    found = bundle.resolve(reference, kinds=_WHO, of=of)
    if isinstance(found, Outside):
        return display, next((certificate for name in found.names if (certificate := _certificate(name))), None)
    if found is None:
        return display, None
    if found.kind == "PractitionerRole":
        name, certificate = who(bundle, found, "practitioner")
        return name or display, certificate or first_number(found, Number.CERTIFICATE)
    return name_of(found) or display, first_number(found, Number.CERTIFICATE)


def _certificate(name: str) -> str | None:
    system, _, value = name.rpartition("|")
    return value if last_part(system) in ("cchn", "gphn", "practitioner-certificate") else None


def name_of(resource: Node) -> str | None:
    """Return the name of a person or an organization."""
    if resource.kind in ("Organization", "Location"):
        return resource.text("name")
    for name in resource.nodes("name") if isinstance(resource.value.get("name"), list) else ():
        parts = (name.text("family"), *name.texts("given"))
        if text := name.text("text") or " ".join(part for part in parts if part):
            return text
    return None
