"""What a viewer may see of a book, for the compiler."""

from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Text, case, func, literal
from sqlalchemy.dialects.postgresql import ARRAY, array

from app.compiler import declare as rests
from app.sharing import scope

NOTICE_VI = (
    "Sổ có thể chưa đầy đủ: chỉ gồm hồ sơ mà các cơ sở đã gửi và trong phạm vi bạn được xem. "
    "Không có thông tin không có nghĩa là không có bệnh hay dị ứng."
)
NOTICE_EN = (
    "This book may be incomplete: it holds what facilities have sent, within your scope. "
    "Nothing recorded does not mean no disease and no allergy."
)


@strawberry.enum(description="A section of a health book.")
class BookSection(Enum):
    """Sections; the bits are those of app.sharing.scope."""

    VISITS = strawberry.enum_value("VISITS", description="Visits with diagnoses and costs.")
    PRESCRIPTIONS = strawberry.enum_value("PRESCRIPTIONS", description="Prescriptions.")
    VACCINATIONS = strawberry.enum_value("VACCINATIONS", description="Vaccinations.")
    TEST_RESULTS = strawberry.enum_value("TEST_RESULTS", description="Test reports.")
    IMAGING = strawberry.enum_value("IMAGING", description="Imaging studies.")
    DOCUMENTS = strawberry.enum_value("DOCUMENTS", description="Discharge, referral and other papers.")
    CONDITIONS = strawberry.enum_value("CONDITIONS", description="Diseases and problems.")
    ALLERGIES = strawberry.enum_value("ALLERGIES", description="Allergies.")
    INSURANCE = strawberry.enum_value("INSURANCE", description="Insurance cards.")
    APPOINTMENTS = strawberry.enum_value("APPOINTMENTS", description="Appointments.")


@strawberry.enum(description="What a book is shared and opened for.")
class SharePurpose(Enum):
    """Purposes."""

    TREATMENT = strawberry.enum_value("TREATMENT", description="Examination and treatment.")
    REFERRAL = strawberry.enum_value("REFERRAL", description="A referral to another facility.")
    SECOND_OPINION = strawberry.enum_value("SECOND_OPINION", description="A second opinion.")
    EMERGENCY = strawberry.enum_value("EMERGENCY", description="An emergency.")
    OTHER = strawberry.enum_value("OTHER", description="Another purpose.")


def section_names(sections: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the names of the sections whose bits are set, in their fixed order."""
    names: array[Any] = array(
        [case((sections.op("&")(literal(one.bit)) != literal(0), literal(one.value))) for one in scope.BookSection],
        type_=Text(),
    )
    return func.array_remove(names, None, type_=ARRAY(Text()))


@strawberry.type(description="What the viewer may see of a book.")
class BookScope:
    """Scope of the open book."""

    sections: list[BookSection] = rests.expression(
        lambda _row, inputs: section_names(inputs.sections),
        description="Sections that this viewer may see. A section that is not listed is null in the book.",
    )
    notice: str = rests.expression(
        lambda _row, inputs: case((inputs.language == literal("en"), literal(NOTICE_EN)), else_=literal(NOTICE_VI)),
        description="A constant reminder that a book may be incomplete; show it beside the book.",
    )
