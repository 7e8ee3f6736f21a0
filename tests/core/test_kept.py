"""What a process keeps of public lists: not for long, and not without bound."""

from datetime import UTC, datetime, timedelta

from app.core.kept import Kept

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_it_is_kept_by_language_until_its_age() -> None:
    kept = Kept(age=MINUTE, most=8)
    kept.texts("vi", now=NOW)[b"a"] = b"1"
    almost = NOW + MINUTE - timedelta(microseconds=1)
    assert kept.texts("vi", now=almost) == {b"a": b"1"}
    assert kept.texts("en", now=almost) == {}
    assert kept.texts("vi", now=NOW + MINUTE) == {}


def test_it_is_dropped_when_the_clock_is_set_back() -> None:
    kept = Kept(age=MINUTE, most=8)
    kept.texts("vi", now=NOW)[b"a"] = b"1"
    assert kept.texts("vi", now=NOW - timedelta(seconds=1)) == {}


def test_there_are_never_many_more_than_its_bound() -> None:
    kept = Kept(age=MINUTE, most=2)
    for key in (b"a", b"b", b"c"):
        kept.texts("vi", now=NOW)[key] = b"1"
    assert kept.texts("en", now=NOW) == {}
    assert kept.texts("vi", now=NOW) == {}


def test_it_is_dropped_when_the_edition_turns() -> None:
    kept = Kept(age=MINUTE, most=8)
    kept.texts("vi", now=NOW, edition="1")[b"a"] = b"1"
    assert kept.texts("vi", now=NOW, edition="1") == {b"a": b"1"}
    assert kept.texts("vi", now=NOW) == {b"a": b"1"}  # of a book that tells no edition
    assert kept.texts("vi", now=NOW, edition="2") == {}
