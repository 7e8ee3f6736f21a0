"""Root fields of notices, and what people say about being told."""

from typing import Annotated

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.notifications import kinds, wishes
from app.notifications.mapping import (
    WISHES,
    NoticeClass,
    NoticeConnection,
    NotificationPreferences,
    PushDevice,
    wishes_of,
)
from app.notifications.tables import NoticeRow, PushTargetRow

NOTICES = rests.Root(name="notices", opens="desk")


@strawberry.type
class NotificationsQuery:
    """What notices answer."""

    @rests.connection(
        NoticeRow,
        on=lambda _parent, notice, inputs: notice.citizen_id == inputs.viewer,
        order=(rests.desc("happened_at"), rests.desc("id")),
        max_first=50,
        filters={"unread": lambda notice, wanted: notice.read_at.is_(None) == wanted},
        root=NOTICES,
        description="What you were told, newest first.",
    )
    def notices(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        unread: Annotated[
            bool | None, strawberry.argument(description="True: only unread ones; false: only read ones.")
        ] = None,
    ) -> NoticeConnection | None: ...

    @rests.root(WISHES, description="What you wish to be told of by push, and when not.")
    def notification_preferences(self) -> NotificationPreferences: ...

    @rests.rows(
        PushTargetRow,
        on=lambda _parent, target, inputs: target.citizen_id == inputs.viewer,
        order=(rests.desc("registered_at"), rests.desc("id")),
        limit=10,
        root=NOTICES,
        description="The phones on which you are told, the one registered last first.",
    )
    def push_devices(self) -> list[PushDevice]: ...


@strawberry.input(description="The phone of this session. Give `installationId`, or `token` from older libraries.")
class RegisterDeviceInput:
    """Input of registerDevice."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    installation_id: str | None = strawberry.field(
        default=None, description="Firebase installation id (fid) of the app on this phone."
    )
    token: str | None = strawberry.field(default=None, description="FCM registration token, where there is no fid.")
    platform: str | None = strawberry.field(default=None, description="android, ios or another word of yours.")


@strawberry.type(description="What registerDevice answers.")
class RegisterDevicePayload:
    """Payload of registerDevice."""

    device: PushDevice = rests.one(
        PushTargetRow,
        on=lambda _told, target, inputs: target.id == inputs.told("device_id", "uuid"),
        description="The phone. It is told until it is removed, its session ends, or somebody else signs in on it.",
    )


async def _register_device(session: Session, *, asked: RegisterDeviceInput, context: Context) -> Told:
    return await wishes.register_device(
        session,
        installation_id=asked.installation_id,
        token=asked.token,
        platform=asked.platform,
        language=context.language,
        device_id=context.new_id(),
        vault=context.house.vault,
    )


@strawberry.input(description="Which phone is not told any more.")
class RemoveDeviceInput:
    """Input of removeDevice."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    device_id: strawberry.ID = strawberry.field(description="One of your own phones.")


@strawberry.type(description="What removeDevice answers.")
class RemoveDevicePayload:
    """Payload of removeDevice."""

    device_id: strawberry.ID = rests.told("device_id", description="The phone, which is forgotten.")


async def _remove_device(session: Session, *, asked: RemoveDeviceInput, context: Context) -> Told:  # noqa: ARG001
    return await wishes.remove_device(session, device_id=asked.device_id)


@strawberry.input(description="Which notices were read.")
class MarkNoticesReadInput:
    """Input of markNoticesRead."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most 200 notices of yours; all of them when it is left out."
    )


@strawberry.type(description="What markNoticesRead answers.")
class MarkNoticesReadPayload:
    """Payload of markNoticesRead."""

    marked: int = rests.told("marked", description="How many were unread before.")


async def _mark_read(session: Session, *, asked: MarkNoticesReadInput, context: Context) -> Told:  # noqa: ARG001
    return await wishes.mark_read(session, ids=asked.ids)


@strawberry.input(description="What you wish from now on.")
class UpdateNotificationPreferencesInput:
    """Input of updateNotificationPreferences."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    muted: list[NoticeClass] = strawberry.field(
        default_factory=list, description="Classes without a push; not EMERGENCY."
    )
    quiet_hours: bool = strawberry.field(default=True, description="Whether pushes wait at night.")
    quiet_from: str = strawberry.field(default="22:00", description="HH:MM, in Viet Nam's time.")
    quiet_until: str = strawberry.field(default="06:00", description="HH:MM, in Viet Nam's time.")


@strawberry.type(description="What updateNotificationPreferences answers.")
class UpdateNotificationPreferencesPayload:
    """Payload of updateNotificationPreferences."""

    preferences: NotificationPreferences = rests.one(wishes_of, description="What holds from now on.")


async def _prefer(session: Session, *, asked: UpdateNotificationPreferencesInput, context: Context) -> Told:  # noqa: ARG001
    return await wishes.prefer(
        session,
        muted=[kinds.NoticeClass[one.name] for one in asked.muted],
        is_quiet=asked.quiet_hours,
        quiet_from=asked.quiet_from,
        quiet_until=asked.quiet_until,
    )


@strawberry.type
class NotificationsMutation:
    """What people say about being told."""

    @rests.mutation(
        rests.action(does=_register_device),
        description="Register the phone of this session for pushes. A phone belongs to whoever registered it last.",
    )
    def register_device(self, input: RegisterDeviceInput) -> RegisterDevicePayload: ...

    @rests.mutation(rests.action(does=_remove_device), description="Forget one of your phones.")
    def remove_device(self, input: RemoveDeviceInput) -> RemoveDevicePayload: ...

    @rests.mutation(
        rests.action(does=_mark_read), description="Mark notices as read; their pushes are not sent any more."
    )
    def mark_notices_read(self, input: MarkNoticesReadInput) -> MarkNoticesReadPayload: ...

    @rests.mutation(rests.action(does=_prefer), description="Say what you wish to be told of by push, and when not.")
    def update_notification_preferences(
        self, input: UpdateNotificationPreferencesInput
    ) -> UpdateNotificationPreferencesPayload: ...
