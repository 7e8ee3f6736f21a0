"""What a process does about memory."""

import subprocess
import sys

LOOKED_THROUGH = """
import gc, app.worker
from app.core.memory import spare_what_stays
before = len(gc.get_objects())
spare_what_stays()
spared = gc.get_freeze_count()
spare_what_stays()
print(before, spared, len(gc.get_objects()), gc.get_freeze_count())
"""


def test_what_a_worker_has_imported_is_not_looked_through_again() -> None:
    """A facility whose message is read while the collector runs would count as slow, and be read apart for minutes."""
    told = subprocess.run([sys.executable, "-c", LOOKED_THROUGH], check=True, capture_output=True, text=True).stdout
    before, spared, left, at_last = map(int, told.split())

    assert before > 50_000
    assert spared > before * 0.9
    assert left < before * 0.1
    assert at_last == spared
