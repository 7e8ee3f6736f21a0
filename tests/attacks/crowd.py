"""A crowd of made-up people, each with one visit that nobody else has, and the messages that bring them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.ingestion import messages
from tests.ingestion.messages import Fields

_FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ")
_GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hạnh", "Khánh", "Lâm", "Mai", "Oanh")

ROWS = {
    "visit": 1,
    "visit_diagnosis": 2,
    "visit_insurance": 1,
    "visit_service": 1,
    "prescription": 1,
    "prescription_item": 1,
    "test_report": 1,
    "test_result": 1,
    "record_version": 3,
}
"""What one visit of `Member` leaves in each table of schema `book`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the crowd. `told` is in the visit's reason and in no other book."""

    number: int
    facility: str = messages.FACILITY
    fields: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def personal_id(self) -> str:
        """Return 12 digits of the range of the other test people."""
        base = messages.VISIT["SO_CCCD"] or ""
        return f"{base[:-6]}{770_000 + self.number}"

    @property
    def card(self) -> str:
        """Return an insurance card's number."""
        base = messages.VISIT["MA_THE_BHYT"] or ""
        return f"{base[:-6]}{880_000 + self.number}"

    @property
    def name(self) -> str:
        """Return a full name."""
        return f"{_FAMILIES[self.number % 10]} {_GIVEN[self.number // 10 % 10]} {_GIVEN[self.number // 100 % 10]}"

    @property
    def told(self) -> str:
        """Return the mark of this person's visit."""
        return f"Dấu riêng {self.number:06d}"

    @property
    def visit_id(self) -> str:
        """Return MA_LK."""
        return f"{self.facility}.2026.11.{self.number:06d}"

    def tables(self) -> dict[str, list[Fields]]:
        """Return the four tables of the visit."""
        person = {
            "SO_CCCD": self.personal_id,
            "MA_THE_BHYT": self.card,
            "HO_TEN": self.name,
            "LY_DO_VV": self.told,
            "MA_CSKCB": self.facility,
            **self.fields,
        }
        return {
            table: [{**line, "MA_LK": self.visit_id, **(person if table == "XML1" else {})}]
            for table, line in messages.LINES.items()
        }


def visiting(day: date) -> dict[str, str]:
    """Return the fields of a visit on another day than the samples': who was born after theirs had none then."""
    return {
        name: f"{day:%Y%m%d}{at}" for name, at in {"NGAY_VAO": "0815", "NGAY_RA": "1030", "NGAY_TTOAN": "1035"}.items()
    }


def message(*members: Member, issued: str = "20261120", without: Sequence[str] = ()) -> bytes:
    """Return one message of the members' visits, some tables left out."""
    visits = (
        messages.visit_xml({name: lines for name, lines in member.tables().items() if name not in without})
        for member in members
    )
    return messages.envelope(*visits, facility=members[0].facility, issued=issued)
