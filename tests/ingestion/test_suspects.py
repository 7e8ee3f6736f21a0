"""Who is read apart, and for how long."""

from uuid import UUID

from app.ingestion.suspects import MOST_SUSPECTS, SUSPECT_SECONDS, Suspects

FIRST, SECOND = UUID(int=1), UUID(int=2)


def test_a_sender_is_suspected_for_a_while() -> None:
    now = [1000.0]
    suspects = Suspects(clock=lambda: now[0])
    assert "01901" not in suspects
    suspects.note("01901")
    assert "01901" in suspects
    assert "79001" not in suspects
    now[0] += SUSPECT_SECONDS - 1
    assert "01901" in suspects
    now[0] += 1
    assert "01901" not in suspects


def test_what_was_in_hand_when_a_worker_died_is_suspect() -> None:
    suspects = Suspects(in_hand=[FIRST])
    assert FIRST in suspects
    assert SECOND not in suspects


def test_what_is_remembered_stays_bounded() -> None:
    now = [0.0]
    suspects = Suspects(clock=lambda: now[0])
    for number in range(MOST_SUSPECTS):
        suspects.note(f"{number:05}")
    now[0] = SUSPECT_SECONDS
    suspects.note("new")
    assert len(suspects._until) == 1
    assert "new" in suspects
