"""Somebody with a book, and a push service that a worker's steps speak with."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from app.core.settings import Settings
from tests.ingestion import messages
from tests.notifications.pushing import Service, push_service
from tests.people import Stand


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[Service]:
    with push_service() as running:
        running.write_credentials(settings.secrets_dir)
        yield running
        (settings.secrets_dir / "fcm.json").unlink()


@pytest.fixture(scope="module")
def owner(stand: Stand) -> UUID:
    facility = stand.facility("01901")
    assert stand.file(messages.message(), token=facility) == "filed"
    return stand.citizen_by(messages.VISIT["SO_CCCD"] or "")


@pytest.fixture
def calm(stand: Stand, owner: UUID, service: Service) -> None:
    """Forget phones, notices and wishes of other tests, and what the service took."""
    assert owner
    for table in ("notice.push", "notice.push_target", "notice.notice", "notice.preference", "care.appointment"):
        stand.as_owner(f"DELETE FROM {table}")
    stand.as_owner("DELETE FROM notice.event WHERE kind = 'APPOINTMENT_DUE'")
    service.state.taken.clear()
    service.state.faults.clear()
