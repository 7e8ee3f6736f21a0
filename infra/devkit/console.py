"""What the person at the terminal sees."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator


class Failed(Exception):
    """The command cannot go on; the text says what is wrong and what to do. Exit code 1."""


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Name a step that may last, and its seconds when it is done. On a terminal the seconds count up."""
    began = time.monotonic()
    done = threading.Event()
    live = sys.stdout.isatty()

    def count() -> None:
        while not done.wait(1):
            print(f"\r  {what} … {time.monotonic() - began:.0f} s", end="", flush=True)

    print(f"  {what} …", end="" if live else "\n", flush=True)
    counter = threading.Thread(target=count, daemon=True)
    if live:
        counter.start()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        done.set()
        if live:
            counter.join()
        print(f"{chr(13) if live else ''}  {what} … {outcome}, {time.monotonic() - began:.1f} s", flush=True)
