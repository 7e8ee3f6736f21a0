"""`dev.py run` with a product of a few lines: the order of things, and how it ends."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.console import Failed
from devkit.data_folder import DataFolder
from devkit.demo import _check_port
from devkit.environment import Environment
from devkit.processes import Child, end_leftovers, run_to_end
from tests.sockets import PATIENCE

ROOT = Path(__file__).parents[2]
PRODUCT = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import http.server, os, sys, time
name = sys.argv[1]
listens = {{"serve": 5, "demo": 4}}[name] if sys.argv[1:3] == ["demo", "provider"] or name == "serve" else None
if listens is not None:
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[listens])), Ready).serve_forever()
elif name in {{"worker", "sealer"}}:
    time.sleep(600)
print("product:", *sys.argv[1:], os.environ["SOKHOE_DEMO"], flush=True)
"""
STARTER = """
import sys
from pathlib import Path
from devkit import demo
from devkit.commands import dispatch
from devkit.environment import Environment
from tests.sockets import PATIENCE
demo.ready_environment = lambda development: Environment(path=Path(sys.argv[1]))
sys.exit(dispatch(sys.argv[2:]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sokhoe-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """An environment whose `sokhoe` is the small product."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")
    program = tmp_path / "bin" / "sokhoe"
    program.write_text(PRODUCT, encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


def free_port() -> int:
    """Return a port that is free, and the next one too, below those that systems give to clients."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000, 7):
        with socket.socket() as probe, socket.socket() as next_probe:
            try:
                probe.bind(("127.0.0.1", port))
                next_probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError


def start(product: Path, data: Path, port: int, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, product, "run", "--data", data, "--port", str(port), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "infra")},
    )


def read_until(process: subprocess.Popen[str], sign: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if sign in line:
            break
    return said


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_run_comes_up_and_goes_down_in_order(product: Path, folder: Path) -> None:
    port, data = free_port(), folder / "data"
    demo = start(product, data, port, "--citizens", "5")
    said = read_until(demo, "Ctrl-C stops it")
    assert said.endswith("Ctrl-C stops it.\n"), said

    places = [said.index(sign) for sign in ("PostgreSQL", "structure", "API, worker", "load", "welcome")]
    assert places == sorted(places)
    assert f"product: demo load --url http://127.0.0.1:{port} --citizens 5 true" in said
    running = json.loads((data / "running.json").read_text(encoding="utf-8"))
    assert running["pid"] == demo.pid
    assert running["url"] == f"http://127.0.0.1:{port}"
    assert running["environment"]["SOKHOE_SECRETS_DIR"] == str(data / "secrets")
    assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700

    with start(product, data, free_port()) as second:
        refused = read_until(second, "never")
    assert second.returncode == 1
    assert f"already at http://127.0.0.1:{port}" in refused

    demo.send_signal(signal.SIGTERM)
    with demo:
        farewell = read_until(demo, "never")
    assert demo.returncode == 0
    assert "data is kept" in farewell
    assert not (data / "running.json").exists()
    assert not any(alive(pid) for pid in running["children"])
    assert not (data / "postgres" / "pgdata" / "postmaster.pid").exists()


def test_killed_demo_is_cleared_away_and_a_dying_part_ends_the_next(product: Path, folder: Path) -> None:
    port, data = free_port(), folder / "data"
    with start(product, data, port) as demo:
        said = read_until(demo, "Ctrl-C stops it")
        assert said.endswith("Ctrl-C stops it.\n"), said
        left = json.loads((data / "running.json").read_text(encoding="utf-8"))["children"]
        demo.kill()
    assert any(alive(pid) for pid in left)

    with start(product, data, port) as again:
        assert "Ctrl-C stops it" in read_until(again, "Ctrl-C stops it")
        children = json.loads((data / "running.json").read_text(encoding="utf-8"))["children"]
        os.kill(children[1], signal.SIGKILL)
        said = read_until(again, "never")

    assert again.returncode == 1
    assert "The worker has ended by itself (code -9)" in said
    assert not any(alive(pid) for pid in children)


def test_taken_port_is_told(product: Path, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with start(product, folder / "data", taken.getsockname()[1]) as demo:
            said = read_until(demo, "never")

    assert demo.returncode == 1
    assert "Choose another with --port" in said


def test_a_port_that_is_being_let_go_is_waited_for() -> None:
    with socket.socket() as ending:
        ending.bind(("127.0.0.1", 0))
        ending.listen()
        port = ending.getsockname()[1]
        threading.Timer(0.3, ending.close).start()

        _check_port(port)

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


def test_folder_is_claimed_once(tmp_path: Path) -> None:
    data = DataFolder(path=tmp_path / "data")

    with data.claimed():
        assert data.is_running()
        with pytest.raises(Failed, match="runs on"), data.claimed():
            pass
    assert not data.is_running()


def test_command_that_fails_is_shown(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"`sokhoe -c .*` failed \(code 3\)(?s:.*)the reason"):
        run_to_end(
            [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"],
            env=os.environ,
            shown=False,
            watch=lambda: None,
        )

    child = Child("part", [sys.executable, "-c", "print('last words')"], log=tmp_path / "part.log", env=os.environ)
    child._process.wait(PATIENCE)
    with pytest.raises(Failed, match="last words"):
        child.check()


def test_a_number_of_another_program_is_spared() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        end_leftovers([stranger.pid], mark="/bin/sokhoe")

        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_environment_names_its_programs(tmp_path: Path) -> None:
    assert Environment(path=tmp_path).program("sokhoe") == tmp_path / "bin" / "sokhoe"
