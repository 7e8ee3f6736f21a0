"""Programs that the demo starts, and what stops them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from devkit.console import Failed

STOP_SECONDS = 15
LOG_LINES_SHOWN = 20


class Stopped(BaseException):
    """Somebody asked the demo to end. Not an Exception, so that no handler of errors takes it for one."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped where the program stands when it gets SIGINT, SIGTERM or SIGHUP."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise Stopped

    signals = [number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if not _ignored(number)]
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def hold_signals() -> None:
    """From here on, finish what is begun: stopping is not interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class Child:
    """A program that runs beside us and writes to a log."""

    def __init__(
        self, name: str, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        if log.exists():
            log.replace(log.with_name(log.name + ".1"))
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process's number."""
        return self._process.pid

    def check(self) -> None:
        """Say so if the program has ended by itself.

        :raises Failed: with its last words.
        """
        code = self._process.poll()
        if code is not None:
            raise Failed(
                f"The {self.name} has ended by itself (code {code}). {self.log} ends with:\n{self._end()}"
            )

    def stop(self) -> None:
        """Ask it to end, and wait; after STOP_SECONDS it is killed."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _end(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN:])


def run_to_end(command: Sequence[str | Path], *, env: Mapping[str, str], shown: bool) -> str:
    """Run a program to its end; its output is shown at once, or returned.

    A stop ends the program too: it is in a session of its own, so that Ctrl-C reaches it only through us.

    :raises Failed: when it fails, with what it said.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        env=env,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    except BaseException:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if process.returncode:
        name = " ".join(str(part) for part in command[1:3])
        raise Failed(f"`sokhoe {name}` failed (code {process.returncode}).\n{said or ''}".rstrip())
    return said or ""


def end_leftovers(pids: Sequence[int], *, mark: str) -> None:
    """End what a killed demo left behind; a number that is another program's by now is spared."""
    ours = [pid for pid in pids if mark in _command_line(pid)]
    for pid in ours:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    give_up_at = time.monotonic() + STOP_SECONDS
    while any(mark in _command_line(pid) for pid in ours):
        if time.monotonic() > give_up_at:
            for pid in ours:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.1)


def _command_line(pid: int) -> str:
    """Return a living process's command line, or nothing."""
    if Path("/proc/self").exists():
        try:
            return Path("/proc", str(pid), "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return ""
    done = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return done.stdout
