"""What need not be done again, and what a book lacks, for the compiler. The rules are rows: `code.reuse_rule`."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    Uuid,
    case,
    column,
    func,
    literal,
    select,
)

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow

Words = Mapping[str, tuple[str, str]]
"""Sentences in Vietnamese and English."""

WHY: Words = {
    "NOTHING_FOUND": ("Sổ không có kết quả nào cho mã này.", "The book holds no result for this code."),
    "TOO_OLD": ("Kết quả gần nhất đã quá thời hạn.", "The newest result is too old."),
    "NOT_POSITIVE": (
        "Với xét nghiệm này, chỉ kết quả dương tính được công nhận.",
        "Of this test only positive results are recognised.",
    ),
    "NO_CONCLUSION": ("Lần chụp trước chưa có kết luận.", "The earlier study has no conclusion."),
    "NO_IMAGES": (
        "Có kết luận nhưng chưa có hình ảnh; hãy hỏi cơ sở đã chụp.",
        "There is a conclusion, but no images: ask the facility for them.",
    ),
    "WHOLE_STUDY": ("Có đủ kết luận và hình ảnh.", "Conclusion and images are both at hand."),
    "NO_RULE": ("Chưa có quy định thời hạn cho xét nghiệm này.", "No rule tells how long this test is good."),
    "OLDER_THAN_SURE": (
        "Còn trong thời hạn dài nhất của nhóm xét nghiệm, nhưng đã quá thời hạn ngắn nhất.",
        "Within the longest validity of its group of tests, past the shortest.",
    ),
    "SAMPLE_TIME_UNKNOWN": ("Không rõ giờ lấy mẫu.", "It is not known when the sample was taken."),
    "LEVEL_UNKNOWN": (
        "Chưa biết mức chất lượng của phòng xét nghiệm.",
        "The quality level of the laboratory is not known.",
    ),
    "LEVEL_LOWER": (
        "Phòng xét nghiệm có mức chất lượng thấp hơn nơi sẽ làm lại.",
        "The laboratory is of a lower level than the one that would repeat it.",
    ),
    "VALID": ("Còn thời hạn, mức chất lượng đã biết.", "In time, and of a known quality level."),
}
GAPS: Words = {
    "REFERRED_TO": (
        "Người bệnh được chuyển đến cơ sở này, nhưng cơ sở chưa gửi lượt khám nào.",
        "A visit referred the patient there, and that facility has sent nothing.",
    ),
    "REFERRED_FROM": (
        "Người bệnh được chuyển từ cơ sở này đến, nhưng cơ sở chưa gửi lượt khám nào.",
        "The patient came from there, and that facility has sent nothing.",
    ),
    "APPOINTMENT": (
        "Có lịch hẹn tại cơ sở này, nhưng cơ sở chưa gửi lượt khám nào.",
        "There was an appointment, and that facility has sent nothing.",
    ),
    "RESULTS_MISSING": (
        "Lượt khám có xét nghiệm hoặc chụp chiếu, nhưng chưa có kết quả nào.",
        "The visit had tests or images, and no result has come.",
    ),
}


@strawberry.enum(description="Whether an earlier result may stand in for a new test; the doctor decides.")
class Reuse(Enum):
    """Advice."""

    REUSE = strawberry.enum_value("REUSE", description="No need to repeat it, by the rules in force.")
    REUSE_WITH_CARE = strawberry.enum_value("REUSE_WITH_CARE", description="It may do: look at the reason first.")
    REPEAT = strawberry.enum_value("REPEAT", description="Nothing here can stand in for it.")


@strawberry.enum(description="Why an earlier result may stand in for a new test, or not.")
class ReuseReason(Enum):
    """Reason of an advice."""

    VALID = strawberry.enum_value("VALID", description=WHY["VALID"][1])
    WHOLE_STUDY = strawberry.enum_value("WHOLE_STUDY", description=WHY["WHOLE_STUDY"][1])
    OLDER_THAN_SURE = strawberry.enum_value("OLDER_THAN_SURE", description=WHY["OLDER_THAN_SURE"][1])
    SAMPLE_TIME_UNKNOWN = strawberry.enum_value("SAMPLE_TIME_UNKNOWN", description=WHY["SAMPLE_TIME_UNKNOWN"][1])
    LEVEL_UNKNOWN = strawberry.enum_value("LEVEL_UNKNOWN", description=WHY["LEVEL_UNKNOWN"][1])
    LEVEL_LOWER = strawberry.enum_value("LEVEL_LOWER", description=WHY["LEVEL_LOWER"][1])
    NO_RULE = strawberry.enum_value("NO_RULE", description=WHY["NO_RULE"][1])
    NO_IMAGES = strawberry.enum_value("NO_IMAGES", description=WHY["NO_IMAGES"][1])
    NO_CONCLUSION = strawberry.enum_value("NO_CONCLUSION", description=WHY["NO_CONCLUSION"][1])
    TOO_OLD = strawberry.enum_value("TOO_OLD", description=WHY["TOO_OLD"][1])
    NOT_POSITIVE = strawberry.enum_value("NOT_POSITIVE", description=WHY["NOT_POSITIVE"][1])
    NOTHING_FOUND = strawberry.enum_value("NOTHING_FOUND", description=WHY["NOTHING_FOUND"][1])


@strawberry.enum(description="What a book lacks.")
class CoverageGapKind(Enum):
    """Kind of a gap."""

    REFERRED_TO = strawberry.enum_value("REFERRED_TO", description=GAPS["REFERRED_TO"][1])
    REFERRED_FROM = strawberry.enum_value("REFERRED_FROM", description=GAPS["REFERRED_FROM"][1])
    APPOINTMENT = strawberry.enum_value("APPOINTMENT", description=GAPS["APPOINTMENT"][1])
    RESULTS_MISSING = strawberry.enum_value("RESULTS_MISSING", description=GAPS["RESULTS_MISSING"][1])


def _sentence(words: Words, key: ColumnElement[Any], inputs: Inputs) -> ColumnElement[Any]:
    def told(place: int) -> ColumnElement[Any]:
        return case(*((key == literal(one), literal(texts[place])) for one, texts in words.items()), else_=key)

    return case((inputs.language == literal("en"), told(1)), else_=told(0))


def advices(_book: RowRef, inputs: Inputs) -> Select[Any]:
    """Return what the rules say of each ordered code, in the order in which they were asked."""
    asked = inputs.argument("codes"), inputs.argument("facility_code")
    advice = func.book.reuse_advice(inputs.citizen, *asked).table_valued(
        column("place", Integer()),
        column("code", Text()),
        column("advice", Text()),
        column("reason", Text()),
        column("report_id", Uuid()),
        column("study_id", Uuid()),
        column("name", Text()),
        column("value_text", Text()),
        column("unit", Text()),
        column("facility_code", Text()),
        column("sampled_at", DateTime(timezone=True)),
        column("good_until", DateTime(timezone=True)),
        column("laboratory_level", Integer()),
        column("saves", Numeric()),
        column("source", Text()),
        column("is_confirmed", Boolean()),
        name="advice",
    )
    return select(*advice.c)


def gaps(_book: RowRef, inputs: Inputs) -> Select[Any]:
    """Return what the open book lacks."""
    gap = func.book.coverage_gaps(inputs.citizen).table_valued(
        column("kind", Text()),
        column("facility_code", Text()),
        column("about_on", Date()),
        column("visit_id", Uuid()),
        name="gap",
    )
    return select(*gap.c)


@strawberry.type(description="Whether a test that is about to be ordered needs to be done again.")
class ReuseAdvice:
    """Advice on one ordered code. Source: Law 51/2024/QH15 Art. 3(4) and the draft circular under it."""

    code: str = rests.column("code", description="The code that was asked about, as it was written.")
    advice: Reuse = rests.column("advice", description="What the rules say; the doctor decides.")
    reason: ReuseReason = rests.column("reason", description="Why, for an app.")
    explanation: str = rests.expression(
        lambda row, inputs: _sentence(WHY, row.reason, inputs), description="Why, in the viewer's language."
    )
    report_id: strawberry.ID | None = rests.column(
        "report_id", description="The earlier test report; null where there is none, or it is an imaging study."
    )
    study_id: strawberry.ID | None = rests.column("study_id", description="The earlier imaging study.")
    name: str | None = rests.column("name", description="Name of the earlier test, as sent.")
    value_text: str | None = rests.column("value_text", description="Its value, as sent.")
    unit: str | None = rests.column("unit", description="Its unit, as sent.")
    facility: Facility | None = rests.one(
        FacilityRow, on=lambda a, f, _inputs: f.code == a.facility_code, description="Where it was made."
    )
    sampled_at: datetime | None = rests.column(
        "sampled_at", description="When its sample was taken, as far as that is told: validity runs from then."
    )
    good_until: datetime | None = rests.column(
        "good_until", description="Until when a rule lets it stand in; null where no rule names an end."
    )
    laboratory_level: int | None = rests.column(
        "laboratory_level", description="Quality level of its laboratory then, 1 to 5; null where it is not known."
    )
    saves: Decimal | None = rests.column(
        "saves",
        description="What the test cost then, in đồng; null where the facility did not tell, or visits are "
        "out of scope.",
    )
    source: str | None = rests.column("source", description="The text that the rule comes from.")
    is_confirmed: bool | None = rests.column(
        "is_confirmed", description="Whether the rule was read in that text; false for the draft of 2026."
    )


@strawberry.type(description="Something that this book lacks, as far as the book itself shows it.")
class CoverageGap:
    """A gap."""

    kind: CoverageGapKind = rests.column("kind", description="What is missing.")
    explanation: str = rests.expression(
        lambda row, inputs: _sentence(GAPS, row.kind, inputs), description="The same in the viewer's language."
    )
    facility_code: str = rests.column("facility_code", description="Code of the facility that has not sent it.")
    facility: Facility | None = rests.one(
        FacilityRow,
        on=lambda g, f, _inputs: f.code == g.facility_code,
        description="That facility; null where it is not registered here, and so cannot send anything yet.",
    )
    about_on: date = rests.column("about_on", description="About when it was.")
    visit_id: strawberry.ID | None = rests.column("visit_id", description="The visit that speaks of it, if one does.")
