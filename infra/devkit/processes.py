"""Programs that the demo starts, and what stops them."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from devkit.console import Failed

STOP_SECONDS = 15
WATCH_SECONDS = 0.2
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

    def __init__(self, name: str, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str]) -> None:
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
            said = f"The {self.name} has ended by itself (code {code}). {self.log} ends with:"
            raise Failed(f"{said}\n{self._last_words()}")

    def stop(self) -> None:
        """Ask it to end, and wait; after STOP_SECONDS it is killed."""
        _end(self._process)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN:])


def run_to_end(
    command: Sequence[str | Path], *, env: Mapping[str, str], shown: bool, watch: Callable[[], None]
) -> None:
    """Run a program to its end; its output is shown at once, or only if it fails.

    `watch` is called again and again meanwhile: what it raises ends the program, as a stop does. The
    program is in a session of its own, so that Ctrl-C reaches it only through us.

    :raises Failed: when it fails, with what it said.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=None if shown else output,
            stderr=None if shown else output,
            env=env,
            start_new_session=True,
        )
        try:
            while not _ends_within(process, WATCH_SECONDS):
                watch()
        except BaseException:
            _end(process)
            raise
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode:
        name = " ".join(str(part) for part in command[1:3])
        raise Failed(f"`sokhoe {name}` failed (code {process.returncode}).\n{said}".rstrip())


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program to end, and wait; after STOP_SECONDS it is killed."""
    if process.poll() is None:
        process.terminate()
    if not _ends_within(process, STOP_SECONDS):
        process.kill()
        process.wait()


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
    done = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return done.stdout
