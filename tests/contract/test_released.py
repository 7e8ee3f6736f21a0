"""What was released stays: `trusted-released.json` is the list of the last release, and ids never change.

A release copies `graphql/trusted.json` over it, as it copies the SDL over `released.graphql`.
"""

import json
from datetime import date

from app.gateway.trusted import FOLDER


def entries(name: str) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def test_the_list_of_trusted_operations_is_append_only() -> None:
    listed = {entry["id"]: entry for entry in entries("trusted.json")}

    for before in entries("trusted-released.json"):
        now = listed.get(before["id"])
        assert now is not None, f"{before['file']} was released: it must stay, and end by its sunset"
        assert (now["file"], now["since"]) == (before["file"], before["since"])
        if before["sunset"] is not None:
            assert now["sunset"] is not None, f"{before['file']}: a sunset that was told is not taken back"
            assert date.fromisoformat(now["sunset"]) >= date.fromisoformat(before["sunset"]), before["file"]


def test_every_entry_is_written_as_the_others() -> None:
    for entry in entries("trusted.json"):
        assert list(entry) == ["id", "file", "since", "sunset"]
        since = date.fromisoformat(entry["since"] or "")
        assert entry["sunset"] is None or date.fromisoformat(entry["sunset"]) > since
