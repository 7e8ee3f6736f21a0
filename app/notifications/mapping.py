"""Where notices and wishes rest, for the compiler."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Select, Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, array

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.identity.mapping import Citizen
from app.identity.tables import CitizenRow
from app.notifications import kinds
from app.notifications.tables import NoticeRow, PreferenceRow, PushTargetRow


@strawberry.enum(description="What a person may mute as a whole. Emergencies cannot be muted.")
class NoticeClass(Enum):
    """Classes of notices."""

    EMERGENCY = strawberry.enum_value("EMERGENCY", description="Somebody opened the book in an emergency.")
    SECURITY = strawberry.enum_value("SECURITY", description="Devices, sessions and the second factor.")
    SHARING = strawberry.enum_value("SHARING", description="Share codes, accesses and who looked.")
    FAMILY = strawberry.enum_value("FAMILY", description="Representatives and dependants.")
    RECORDS = strawberry.enum_value("RECORDS", description="New results and other changes of the book.")
    APPOINTMENTS = strawberry.enum_value("APPOINTMENTS", description="Appointments and the waiting list.")


@strawberry.type(description="Something that you are told. The phone's push holds its id and a general sentence only.")
class Notice:
    """A notice."""

    id: strawberry.ID = rests.column(NoticeRow.id, description="Opaque id; a push holds it as `noticeId`.")
    kind: str = rests.column(
        NoticeRow.kind,
        description="What happened, for choosing an icon or a screen. Upper case, past tense; the list may grow.",
    )
    of: NoticeClass = rests.column("class_", name="class", description="Its class, as preferences know it.")
    title: str = rests.expression(
        lambda row, inputs: case((inputs.language == literal("en"), row.title_en), else_=row.title_vi),
        description="A short title in your language.",
    )
    text: str = rests.expression(
        lambda row, inputs: case((inputs.language == literal("en"), row.text_en), else_=row.text_vi),
        description="A sentence in your language; it never holds health data.",
    )
    subject_id: strawberry.ID | None = rests.expression(
        lambda row, _inputs: _subject(row),
        description="Opaque id of what it is about (a grant, an appointment, a session); null when there is none.",
    )
    about: Citizen = rests.one(
        CitizenRow,
        on=lambda notice, citizen, _inputs: citizen.id == notice.about_id,
        description="Whose affair it is: yours, or a dependant's.",
    )
    happened_at: datetime = rests.column(NoticeRow.happened_at, description="When it happened.")
    read_at: datetime | None = rests.column(NoticeRow.read_at, description="When you read it; null while unread.")


def _subject(row: RowRef) -> ColumnElement[Any]:
    named = {kind: rule.subject for kind, rule in kinds.RULES.items() if rule.subject is not None}
    branches = [
        (row.kind == literal(kind), row.about.op("->>", return_type=Text())(literal(subject)))
        for kind, subject in named.items()
    ]
    return case(*branches, else_=cast(literal(None), Text()))


@strawberry.type(description="A page of notices.")
class NoticeConnection(rests.Connection[Notice]):
    """A page of notices."""

    total_count: int = rests.total(description="How many notices match, whatever the page.")


@strawberry.type(description="A phone on which you are told.")
class PushDevice:
    """A registered phone."""

    id: strawberry.ID = rests.column(PushTargetRow.id, description="Opaque id, for removeDevice.")
    platform: str | None = rests.column(PushTargetRow.platform, description="As the app said it: android, ios …")
    registered_at: datetime = rests.column(PushTargetRow.registered_at, description="When it was registered last.")


def wishes_of(_parent: RowRef, inputs: Inputs) -> Select[Any]:
    """Return the viewer's wishes: those that were kept, or the defaults."""
    viewer, kept = CitizenRow.__table__.alias("viewer"), PreferenceRow.__table__.alias("kept")
    nothing = cast(array([], type_=Text()), ARRAY(Text()))
    return (
        select(
            func.coalesce(kept.c.muted, nothing, type_=ARRAY(Text())).label("muted"),
            func.coalesce(kept.c.is_quiet, literal(True)).label("is_quiet"),  # noqa: FBT003 - an SQL literal
            func.coalesce(func.to_char(kept.c.quiet_from, literal("HH24:MI")), literal("22:00")).label("quiet_from"),
            func.coalesce(func.to_char(kept.c.quiet_until, literal("HH24:MI")), literal("06:00")).label("quiet_until"),
        )
        .select_from(viewer.outerjoin(kept, kept.c.citizen_id == viewer.c.id))
        .where(viewer.c.id == inputs.viewer)
    )


WISHES = rests.Root(name="wishes", opens="desk", row=wishes_of)


@strawberry.type(description="What you wish to be told of by push, and when not. Notices in the app are always there.")
class NotificationPreferences:
    """Wishes."""

    muted: list[NoticeClass] = rests.column("muted", description="Classes without a push.")
    quiet_hours: bool = rests.column(
        "is_quiet", description="Whether pushes wait for the end of the quiet hours. Emergencies never wait."
    )
    quiet_from: str = rests.column("quiet_from", description="Begin of the quiet hours, HH:MM, in Viet Nam's time.")
    quiet_until: str = rests.column("quiet_until", description="End of the quiet hours, HH:MM, in Viet Nam's time.")
