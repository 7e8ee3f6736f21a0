"""One book with the facilities that tell of it, read over the wire."""

import itertools
from collections.abc import Mapping
from typing import Any

import httpx

from tests.attacks.crowd import Member, message
from tests.clinics import Clinic
from tests.people import Stand

_NUMBERS = itertools.count(600)
HOME, AWAY, THIRD = "01901", "79001", "48195"


class Book:
    """One citizen's book: `home` is where they had a visit, `away` and `third` tell of them too."""

    def __init__(self, stand: Stand, http: httpx.Client, *, fields: Mapping[str, str | None] | None = None) -> None:
        member = Member(number=next(_NUMBERS), fields=fields or {})
        token = stand.facility(member.facility)
        for code in (AWAY, THIRD):
            stand.facility(code)
        kept = stand.keep(message(member), token=token)
        assert stand.process(kept) == "filed"
        self.member = member
        self.visit = member.visit_id
        self.citizen = stand.citizen_by(member.personal_id)
        self.home, self.away, self.third = (Clinic(stand, self.citizen, kept, code) for code in (HOME, AWAY, THIRD))
        self.token = stand.citizen_token(self.citizen)
        self.http = http

    def post(self, query: str, *, token: str | None = None, language: str = "vi", **variables: Any) -> dict[str, Any]:
        """Return the whole answer."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Accept-Language": language}
        answer: dict[str, Any] = self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        ).json()
        return answer

    def read(self, selection: str, *, language: str = "vi") -> Any:
        """Return what the book shows."""
        answer = self.post(f"{{ healthBook {{ version {selection} }} }}", language=language)
        assert "errors" not in answer, answer
        return answer["data"]["healthBook"]

    def doses(self) -> list[dict[str, Any]]:
        """Return the doses that are shown."""
        selection = (
            "vaccinations { nodes { id status vaccineName doseNumber lotNumber injectedAt facility { code } "
            "reactions { toldBy description severity facility { code } } sources { facility { code } lotNumber } } }"
        )
        nodes: list[dict[str, Any]] = self.read(selection)["vaccinations"]["nodes"]
        return nodes
