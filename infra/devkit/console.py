"""What the person at the terminal sees."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

_one_at_a_time = threading.Lock()


class Failed(Exception):
    """The command cannot go on; the text says what is wrong and what to do. Exit code 1."""


def say(text: str = "", *, end: str = "\n", where: TextIO | None = None) -> None:
    """Print at once and in one piece. When nobody reads any more, the work goes on: what is begun must be stopped."""
    with _one_at_a_time, contextlib.suppress(BrokenPipeError):
        print(text + end, end="", file=where, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Name a step that may last, and its seconds when it is done. On a terminal the seconds count up.

    On standard error: what a command prints, such as a token, is kept by its caller.
    """
    err = sys.stderr
    began = time.monotonic()
    done = threading.Event()
    live = err.isatty()

    def count() -> None:
        while not done.wait(1):
            say(f"\r  {what} … {time.monotonic() - began:.0f} s", end="", where=err)

    say(f"  {what} …", end="" if live else "\n", where=err)
    counter = threading.Thread(target=count, daemon=True)
    if live:
        counter.start()
    outcome = "stopped"
    try:
        yield
        outcome = "done"
    except Exception:
        outcome = "failed"
        raise
    finally:
        done.set()
        if live:
            counter.join()
        say(f"{chr(13) if live else ''}  {what} … {outcome}, {time.monotonic() - began:.1f} s", where=err)
