"""The service door: `sokhoe`. Exit codes: 0 done, 1 refused or failed, 2 usage."""

import difflib
import io
import os
import signal
import socket
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_jsonable_python

from app.commands.console import DONE, AsJson, FailsAsJson, fail, read_settings, run, show
from app.core.memory import leave_out, nothing_collected, return_large_blocks
from app.core.settings import Settings

app = typer.Typer(
    name="sokhoe",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sổ Khỏe: sổ sức khỏe điện tử / the electronic health book.",
)

_STDERR = 2
INTERRUPTED = 128 + signal.SIGINT

COMMAND_LINES = ("httpx._main",)
"""Of libraries: it would bring rich and pygments, 4 MB that stay in every process."""

# A noun's commands and the module that has them; only what is asked for is imported, so that a start is quick.
NOUNS = {
    "facility": "facility",
    "practitioners": "practitioners",
    "citizen": "citizen",
    "family": "family",
    "demo": "demo",
    "schedules": "schedules",
    "send": "hospital",
    "check": "hospital",
    "audit": "audit",
    "sharing": "sharing",
    "codes": "codes",
    "keys": "keys",
    "restored": "restored",
    "quarantine": "quarantine",
    "queue": "queue",
    "replay": "queue",
}


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    print_settings: Annotated[bool, typer.Option("--print-settings", help="List every setting and end.")] = False,
    as_json: FailsAsJson = False,
) -> None:
    """Serve the API until it is told to stop."""
    if print_settings:
        _print_settings(as_json=as_json)
        return
    leave_out(*COMMAND_LINES)
    with nothing_collected():
        from app.commands.starting import check_start
        from app.gateway.wire import server_of
        from app.main import build_app

    return_large_blocks()
    settings = read_settings()
    run(check_start(settings))
    if settings.metrics_port is not None:
        _bound(settings.metrics_host, settings.metrics_port, setting="SOKHOE_METRICS_PORT").close()
    door = _bound(host, port, setting="--port")
    server = server_of(build_app(settings), host=host, port=port)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn ends in good order and raises the signal again
        signal.signal(number, lambda _number, _frame: sys.exit(DONE))
    server.run(sockets=[door])
    if not server.started:
        fail("Máy chủ không khởi động được; xem nhật ký.", "The server did not start; its log says why.")


@app.command()
def worker(as_json: FailsAsJson = False) -> None:  # noqa: ARG001 - read by `fail`
    """Work through the queue until it is told to stop: file messages."""
    leave_out(*COMMAND_LINES)
    with nothing_collected():
        from app.worker import work

    run(work(read_settings()), logs=True)


@app.command()
def sealer(
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Sign with a new key though the old one is lost; apps must be told.")
    ] = False,
    as_json: FailsAsJson = False,  # noqa: ARG001 - read by `fail`
) -> None:
    """Seal the visitors' book until it is told to stop: append its lines to the tree and sign the tree's head."""
    from app.sealer import seal_for_ever

    run(seal_for_ever(read_settings(), takes_new_key=new_key), logs=True)


@app.command()
def migrate(
    show_sql: Annotated[bool, typer.Option("--sql", help="Print the migrations as SQL and change nothing.")] = False,
    check_models: Annotated[bool, typer.Option("--check", help="Compare the database with the declared rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this release: migrations, functions and policies, code lists, trusted operations."""
    from app.core.marks import note_keys_at_hand
    from app.installed import fingerprint_to_install

    if not (show_sql or check_models):
        run(note_keys_at_hand(read_settings()))
    if not (show_sql or check_models) and run(fingerprint_to_install(read_settings())) is None:
        show({"changed": False}, as_json=as_json, text="Không có gì mới. / Nothing to do.")
        return
    from alembic.util.exc import CommandError

    from app import migrate as migrating

    if show_sql:
        sql = migrating.offline_sql()
        show({"sql": sql}, as_json=as_json, text=sql)
        return
    if check_models:
        try:
            run(migrating.check_models(read_settings()))
        except CommandError as error:  # another revision, or other columns
            fail(f"Cơ sở dữ liệu khác với mã nguồn. {error}", f"The database differs from the code. {error}")
        show({"status": "same"}, as_json=as_json, text="Không khác mã nguồn. / The database is as the code says.")
        return
    changed = run(migrating.migrate(read_settings(), progress=lambda step: print(f"  {step}", file=sys.stderr)))
    text = "Đã cập nhật. / Done." if changed else "Không có gì mới. / Nothing to do."  # another did it meanwhile
    show({"changed": changed}, as_json=as_json, text=text)


@app.command()
def schema(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare graphql/schema.graphql, compile graphql/operations; exit 1 on a fault."),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write graphql/schema.graphql.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the GraphQL schema."""
    from app.core.clock import utc_now
    from app.gateway.plans import compile_served
    from app.gateway.schema import schema as gateway_schema
    from app.gateway.trusted import FOLDER, BadOperation

    text = gateway_schema().as_str() + "\n"
    path = FOLDER / "schema.graphql"
    if write:
        path.write_text(text, encoding="utf-8")
        show({"status": "written", "file": str(path)}, as_json=as_json, text=f"Đã ghi / written: {path}")
    elif check:
        known = path.read_text(encoding="utf-8") if path.exists() else ""
        if known != text:
            lines = difflib.unified_diff(known.splitlines(True), text.splitlines(True), "committed", "code")
            sys.stderr.writelines(lines)
            fail("graphql/schema.graphql khác với mã nguồn.", "graphql/schema.graphql differs from the code.")
        try:
            compile_served(utc_now())
        except BadOperation as error:
            fail(f"{error.told.vi} {error}", f"{error.told.en} {error}")
        if as_json:
            show({"status": "same"}, as_json=True, text="")
    else:
        show({"sdl": text}, as_json=as_json, text=text.rstrip("\n"))


def _print_settings(*, as_json: bool) -> None:
    told, lines = [], []
    for name, field in Settings.model_fields.items():
        one = {"name": f"SOKHOE_{name.upper()}", "required": field.is_required(), "description": field.description}
        told.append(one if field.is_required() else {**one, "default": to_jsonable_python(field.default)})
        default = "(required)" if field.is_required() else f"(default {field.default!r})"
        lines.append(f"{one['name']:<31} {default}\n    {field.description}")
    show(told, as_json=as_json, text="\n".join(lines))


def _bound(host: str, port: int, *, setting: str) -> socket.socket:
    """Return a socket that is bound, so that an address which cannot be had is told before anything starts."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        said = error.strerror or type(error).__name__
        fail(
            f"Không mở được cổng {port} của {host} ({said}). Hãy chọn cổng khác: {setting}.",
            f"Port {port} of {host} cannot be used ({said}). Choose another with {setting}.",
        )
    return door


def register(nouns: Iterable[str]) -> None:
    """Add the commands of `nouns` to the command line."""
    for noun in nouns:
        with nothing_collected():
            module = import_module(f"app.commands.{NOUNS[noun]}")
        if NOUNS[noun] == noun and hasattr(module, "app"):
            app.add_typer(module.app, name=noun)
        else:
            app.command()(getattr(module, noun))


def _open_standard_streams() -> None:
    """Let 0, 1 and 2 be open, or the first socket would get such a number; write UTF-8 whatever the locale says."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for good
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for good
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> None:
    """Run the command line."""
    _open_standard_streams()
    asked = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    own = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    try:
        register([asked] if asked in NOUNS else () if asked in own else NOUNS)
    except KeyboardInterrupt:  # later ones are typer's
        sys.exit(INTERRUPTED)
    app()
