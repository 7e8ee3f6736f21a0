"""Phones that cannot be reached now: each waits by itself, for what is still of use when it rings."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from app.demo.push_service import PushFault
from tests.notifications.happening import appointment, happen, push, register, remind, soon, tell
from tests.notifications.pushing import Service
from tests.people import Stand


@pytest.mark.usefixtures("calm")
def test_what_one_phone_is_asked_to_wait_the_others_do_not(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.demo.push_service.RETRY_SECONDS", 3000)
    for name in ("busy", "other", "fine"):
        register(http, stand.citizen_token(owner), installationId=name)
    tell(stand, happen(stand, owner))
    soon(stand)
    service.state.faults |= {"busy": [PushFault.QUOTA], "other": [PushFault.UNAVAILABLE]}
    wait = "SELECT try_at - clock_timestamp() AS wait FROM notice.notice"

    assert push(stand, service) == 2
    assert stand.as_owner(wait)[0].wait <= timedelta(seconds=13)
    stand.as_owner("UPDATE notice.push SET try_at = now() WHERE try_at < now() + interval '1 minute'")
    assert push(stand, service, in_their_time=True) == 0
    assert service.state.addresses() == ["fine", "other"]
    assert timedelta(minutes=45) < stand.as_owner(wait)[0].wait <= timedelta(minutes=50)
    assert push(stand, service, in_their_time=True) == 0  # nobody is due
    assert timedelta(minutes=45) < stand.as_owner(wait)[0].wait <= timedelta(minutes=50)
    stand.as_owner("UPDATE notice.push SET try_at = now() WHERE try_at > now()")
    assert push(stand, service, in_their_time=True) == 0
    assert service.state.addresses() == ["fine", "other", "busy"]
    assert stand.as_owner(wait)[0].wait is None


@pytest.mark.usefixtures("calm")
def test_a_phone_that_waits_is_not_told_what_is_older_than_what_it_was_told_since(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    """E.8: a newer notice of one thing supersedes, also one that was tried in vain."""
    register(http, stand.citizen_token(owner), installationId="phone")
    visit = appointment(stand, owner, starts_at=datetime(2036, 12, 2, 2, 30, tzinfo=UTC))
    tell(stand, happen(stand, owner, "APPOINTMENT_BOOKED", appointmentId=str(visit)))
    soon(stand)
    service.state.faults["phone"] = [PushFault.UNAVAILABLE]
    assert push(stand, service) == 1
    tell(stand, happen(stand, owner, "APPOINTMENT_CHANGED", appointmentId=str(visit)))
    soon(stand)

    assert push(stand, service) == 0
    assert push(stand, service) == 0

    newest = stand.as_owner("SELECT id::text FROM notice.notice WHERE kind = 'APPOINTMENT_CHANGED'")[0].id
    assert [one["data"]["noticeId"] for one in service.state.taken] == [newest]


@pytest.mark.usefixtures("calm")
def test_a_phone_that_was_off_does_not_ring_when_it_is_of_no_use_any_more(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    """Both services keep a message for a phone that is off, for as long as it says; without a word, for weeks."""
    register(http, stand.citizen_token(owner), installationId="phone")
    stand.as_owner("INSERT INTO notice.preference VALUES (:id, '{}', false, '22:00', '06:00')", id=owner)
    now = datetime.now(UTC)
    visit = appointment(stand, owner, starts_at=now + timedelta(hours=2), booked_at=now - timedelta(days=9))
    assert remind(stand) == 1
    event = stand.as_owner("SELECT id FROM notice.event WHERE kind = 'APPOINTMENT_DUE'")[0].id
    tell(stand, event, now=now)
    tell(stand, happen(stand, owner, device="1"), now=now)

    assert push(stand, service) == 0

    by_thread = {one["android"]["collapse_key"].partition(":")[0]: one for one in service.state.taken}
    reminder, other = by_thread["APPOINTMENTS"], by_thread["SECURITY"]
    assert reminder["android"]["collapse_key"] == f"APPOINTMENTS:{visit}"
    for sent, most in ((reminder, timedelta(hours=2)), (other, timedelta(hours=24))):
        seconds = int(sent["android"]["ttl"].removesuffix("s"))
        assert most - timedelta(minutes=2) < timedelta(seconds=seconds) <= most
        expires = datetime.fromtimestamp(int(sent["apns"]["headers"]["apns-expiration"]), UTC)
        assert abs(expires - (now + most)) < timedelta(minutes=2)
