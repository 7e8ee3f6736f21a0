"""A process that lets every other one on the machine go first."""

import os
from contextlib import suppress
from pathlib import Path


def yield_to_all(niceness: int) -> None:
    """Be nice to other processes, and as a session to other sessions, where Linux weighs those first.

    Source: sched(7), autogroup
    """
    os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")
