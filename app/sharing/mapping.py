"""What is shared of a book, with whom, and how far a viewer sees it, for the compiler."""

from datetime import date, datetime
from typing import Any

import strawberry
from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.sharing import scope
from app.sharing.enums import (
    BookSection,
    GrantKind,
    GrantState,
    RefusalReason,
    SensitiveClass,
    ShareCodeState,
    SharePurpose,
    ShareRequestState,
)
from app.sharing.tables import GrantRow, ShareCodeRow, ShareRequestRow, ShareTryRow

NOTICE_VI = (
    "Sổ có thể chưa đầy đủ: chỉ gồm hồ sơ mà các cơ sở đã gửi và trong phạm vi bạn được xem. "
    "Không có thông tin không có nghĩa là không có bệnh hay dị ứng."
)
NOTICE_EN = (
    "This book may be incomplete: it holds what facilities have sent, within your scope. "
    "Nothing recorded does not mean no disease and no allergy."
)
MOST_REFUSALS = 50


def names_of(bits: ColumnElement[Any], members: type[scope.BookSection | scope.SensitiveClass]) -> ColumnElement[Any]:
    """Return the names of the members whose bits are set, in their fixed order."""
    names: array[Any] = array(
        [case((bits.op("&")(literal(one.bit)) != literal(0), literal(one.value))) for one in members],
        type_=Text(),
    )
    return func.array_remove(names, None, type_=ARRAY(Text()))


def _day(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the day in Viet Nam that a moment is in."""
    return cast(func.timezone(literal("Asia/Ho_Chi_Minh"), moment), Date)


def _setting(name: str) -> ColumnElement[Any]:
    return func.nullif(func.current_setting(literal(f"book.{name}"), type_=Text()), literal(""), type_=Text())


def sees_all() -> ColumnElement[Any]:
    """Return whether the viewer sees every record of the open book: only then may they know its version."""
    return and_(
        _setting("unmasked") == literal("true"),
        cast(_setting("sensitive"), Integer) == literal(sum(one.bit for one in scope.SensitiveClass)),
    )


def tells_masked(row: RowRef, _inputs: Inputs) -> ColumnElement[Any]:
    """Return whether a record is hidden from everybody else, to whoever sees what is hidden; null to all others."""
    return case((_sees_hidden(), row.masked))


def tells_classes(row: RowRef, _inputs: Inputs) -> ColumnElement[Any]:
    """Return the sensitive classes of a record, to whoever sees what is hidden; null to all others."""
    return case((_sees_hidden(), names_of(row.sensitive, scope.SensitiveClass)))


def _sees_hidden() -> ColumnElement[bool]:
    setting = func.current_setting(literal("book.unmasked"), literal(value=True), type_=Text())
    found: ColumnElement[bool] = setting == literal("true")
    return found


MASKED = (
    "Whether maskRecords hides it from everybody else. Told to its owner, and to a representative who sees what is "
    "hidden; null to everybody else."
)
CLASSES = (
    "The sensitive classes it is of: others see it only where a scope names each of them. Told as isMasked is; null to "
    "everybody else."
)


def open_scope(_book: RowRef, inputs: Inputs) -> Select[Any]:
    """Return the scope of the book that is open; what it shows is judged by the policies, this only tells it."""
    return select(
        inputs.sections.label("sections"),
        cast(_setting("sensitive"), Integer).label("sensitive"),
        cast(func.nullif(_setting("since"), literal("-infinity")), DateTime(timezone=True)).label("since"),
        cast(func.nullif(_setting("until"), literal("infinity")), DateTime(timezone=True)).label("until"),
        cast(_setting("facilities"), ARRAY(Text())).label("facilities"),
        cast(_setting("records"), ARRAY(Text())).label("records"),
    )


def _list_of(kept: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Return a list of a stored scope, or null."""
    listed = func.auth.listed(kept.op("->")(literal(name)), type_=Text())
    return cast(func.nullif(listed, literal("")), ARRAY(Text()))


def kept_scope(row: RowRef, _inputs: Inputs) -> Select[Any]:
    """Return the scope that a code, request or grant holds."""
    return scope_in(row.scope)


def scope_in(kept: ColumnElement[Any]) -> Select[Any]:
    """Return the columns of a scope from what `auth.scope_of` made."""

    def told(name: str) -> ColumnElement[Any]:
        return kept.op("->>")(literal(name))

    return select(
        cast(told("sections"), Integer).label("sections"),
        cast(told("sensitive"), Integer).label("sensitive"),
        cast(told("since"), DateTime(timezone=True)).label("since"),
        cast(told("until"), DateTime(timezone=True)).label("until"),
        _list_of(kept, "facilities").label("facilities"),
        _list_of(kept, "records").label("records"),
    )


@strawberry.type(description="What somebody may see of a book.")
class BookScope:
    """A scope: of the open book, or of what gave it."""

    sections: list[BookSection] = rests.expression(
        lambda row, _inputs: names_of(row.sections, scope.BookSection),
        description="Sections that may be seen. A section that is not listed is null in the book.",
    )
    sensitive: list[SensitiveClass] = rests.expression(
        lambda row, _inputs: names_of(row.sensitive, scope.SensitiveClass),
        description="Classes of sensitive records that may be seen.",
    )
    from_: date | None = rests.expression(
        lambda row, _inputs: _day(row.since), name="from", description="The first day that is seen; null: all before."
    )
    to: date | None = rests.expression(
        lambda row, _inputs: _day(row.until) - literal(1), description="The last day that is seen; null: all after."
    )
    facility_codes: list[str] | None = rests.column(
        "facilities", description="The facilities whose records are seen; null: all."
    )
    record_ids: list[strawberry.ID] | None = rests.column(
        "records", description="The only records that are seen; null: all."
    )
    notice: str = rests.expression(
        lambda _row, inputs: case((inputs.language == literal("en"), literal(NOTICE_EN)), else_=literal(NOTICE_VI)),
        description="A constant reminder that a book may be incomplete; show it beside the book.",
    )


def grant_state(row: RowRef) -> ColumnElement[Any]:
    """Return what has become of a grant."""
    return case(
        (row.revoked_at.is_not(None), literal("REVOKED")),
        (row.ends_at <= func.clock_timestamp(), literal("ENDED")),
        else_=literal("LIVE"),
    )


@strawberry.type(description="What a practitioner may read of a book, and the citizen's own request that it rests on.")
class Grant:
    """A grant."""

    id: strawberry.ID = rests.column(GrantRow.id, description="Opaque id; `sharedHealthBook` opens the book by it.")
    state: GrantState = rests.expression(lambda row, _inputs: grant_state(row), description="What has become of it.")
    kind: GrantKind = rests.column(GrantRow.kind, description="How the practitioner came to it.")
    purpose: SharePurpose = rests.column(GrantRow.purpose, description="What the book may be read for.")
    scope: BookScope = rests.one(kept_scope, description="What of the book it opens.")
    confirmed_at: datetime = rests.column(
        GrantRow.confirmed_at, description="When the citizen confirmed it, or an emergency was declared."
    )
    starts_at: datetime = rests.column(GrantRow.starts_at, description="Since when it opens the book.")
    until: datetime = rests.column(GrantRow.ends_at, description="When it ends by itself.")
    revoked_at: datetime | None = rests.column(GrantRow.revoked_at, description="When it was revoked.")
    citizen_name: str = rests.column(GrantRow.citizen_name, description="Whose book it opens.")
    practitioner_name: str = rests.column(GrantRow.practitioner_name, description="Who may read it.")
    practitioner_certificate: str = rests.column(
        GrantRow.practitioner_certificate, description="Practising certificate of who may read it."
    )
    facility: Facility = rests.one(
        FacilityRow, on=lambda g, f, _inputs: f.code == g.facility_code, description="The only place where it is good."
    )
    reason: str | None = rests.column(
        GrantRow.reason, description="Why it was an emergency, in the practitioner's words; null for other grants."
    )


@strawberry.type(description="A try to redeem a code that was refused.")
class CodeRefusal:
    """A refusal."""

    reason: RefusalReason = rests.column(ShareTryRow.reason, description="Why it was refused.")
    at: datetime = rests.column(ShareTryRow.at, description="When it was tried.")
    facility_code: str = rests.column(ShareTryRow.facility_code, description="The facility that was named, as typed.")


def code_state(row: RowRef) -> ColumnElement[Any]:
    """Return what has become of a code."""
    return case(
        (row.redeemed_at.is_not(None), literal("REDEEMED")),
        (row.cancelled_at.is_not(None), literal("CANCELLED")),
        (row.redeemable_until <= func.clock_timestamp(), literal("EXPIRED")),
        (row.tries >= literal(3), literal("SPENT")),
        else_=literal("LIVE"),
    )


@strawberry.type(description="A share code, without the code itself: that is shown once, to its maker.")
class ShareCode:
    """A code."""

    id: strawberry.ID = rests.column(ShareCodeRow.id, description="Opaque id.")
    state: ShareCodeState = rests.expression(lambda row, _inputs: code_state(row), description="What has become of it.")
    purpose: SharePurpose = rests.column(ShareCodeRow.purpose, description="What it is shared for.")
    scope: BookScope = rests.one(kept_scope, description="What it opens.")
    has_pin: bool = rests.column(ShareCodeRow.has_pin, description="Whether a PIN is asked for.")
    created_at: datetime = rests.column(ShareCodeRow.created_at, description="When it was made.")
    redeemable_until: datetime = rests.column(ShareCodeRow.redeemable_until, description="Until when it is good.")
    access_minutes: int = rests.column(ShareCodeRow.access_minutes, description="How long the book then stays open.")
    grant: Grant | None = rests.one(
        GrantRow,
        on=lambda code, g, _inputs: and_(g.citizen_id == code.citizen_id, g.id == code.grant_id),
        description="What it was redeemed for.",
    )
    refusals: list[CodeRefusal] = rests.many(
        ShareTryRow,
        on=lambda code, t, _inputs: and_(t.citizen_id == code.citizen_id, t.code_id == code.id),
        order=(rests.desc("at"), rests.desc("id")),
        limit=MOST_REFUSALS,
        description="Tries that were refused and why, the latest first, for seven days.",
    )


def request_state(row: RowRef) -> ColumnElement[Any]:
    """Return what has become of a request."""
    return case(
        (row.answer == literal("APPROVED"), literal("APPROVED")),
        (row.answer == literal("REFUSED"), literal("REFUSED")),
        (row.expires_at <= func.clock_timestamp(), literal("EXPIRED")),
        else_=literal("OPEN"),
    )


@strawberry.type(description="That a practitioner asks for a part of a book.")
class ShareRequest:
    """A request."""

    id: strawberry.ID = rests.column(ShareRequestRow.id, description="Opaque id.")
    state: ShareRequestState = rests.expression(
        lambda row, _inputs: request_state(row), description="What has become of it."
    )
    purpose: SharePurpose = rests.column(ShareRequestRow.purpose, description="What the book is to be opened for.")
    scope: BookScope = rests.one(kept_scope, description="What is asked for.")
    access_minutes: int = rests.column(ShareRequestRow.access_minutes, description="How long the book is to stay open.")
    asked_at: datetime = rests.column(ShareRequestRow.asked_at, description="When it was asked.")
    expires_at: datetime = rests.column(ShareRequestRow.expires_at, description="Until when it can be answered.")
    practitioner_name: str = rests.column(ShareRequestRow.practitioner_name, description="Who asks.")
    practitioner_certificate: str = rests.column(
        ShareRequestRow.practitioner_certificate, description="Practising certificate of who asks."
    )
    facility: Facility = rests.one(
        FacilityRow, on=lambda r, f, _inputs: f.code == r.facility_code, description="Where they work."
    )
    grant: Grant | None = rests.one(
        GrantRow,
        on=lambda request, g, _inputs: and_(
            or_(g.citizen_id == request.citizen_id, g.practitioner_id == request.practitioner_id),
            g.id == request.grant_id,
        ),
        description="What was given.",
    )
