"""The service door: `sokhoe`. Exit codes: 0 done, 1 refused or failed, 2 usage."""

import difflib
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from app.commands.console import AsJson, fail, read_settings, run, show
from app.core.settings import Settings

app = typer.Typer(
    name="sokhoe",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sổ Khỏe: sổ sức khỏe điện tử / the electronic health book.",
)

# A noun's commands and the module that has them; only what is asked for is imported, so that a start is quick.
NOUNS = {
    "facility": "facility",
    "demo": "demo",
    "send": "hospital",
    "check": "hospital",
    "codes": "codes",
    "keys": "keys",
    "queue": "queue",
    "replay": "queue",
}


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    print_settings: Annotated[bool, typer.Option("--print-settings", help="List every setting and end.")] = False,
) -> None:
    """Serve the API."""
    if print_settings:
        _print_settings()
        return
    from app.gateway.wire import server_of
    from app.main import build_app

    server = server_of(build_app(read_settings()), host=host, port=port)
    server.run()
    if not server.started:
        raise typer.Exit(code=1)


@app.command()
def worker() -> None:
    """Work through the queue: file messages."""
    import uvloop

    from app.worker import work

    uvloop.run(work(read_settings()))


@app.command()
def migrate(
    show_sql: Annotated[bool, typer.Option("--sql", help="Print the migrations as SQL and change nothing.")] = False,
    check_models: Annotated[bool, typer.Option("--check", help="Compare the database with the declared rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this release: migrations, functions and policies, code lists, trusted operations."""
    from app import migrate as migrating

    if show_sql:
        print(migrating.offline_sql())
        return
    if check_models:
        run(migrating.check_models(read_settings()))
        return
    changed = run(migrating.migrate(read_settings(), progress=lambda step: print(f"  {step}", file=sys.stderr)))
    show(
        {"changed": changed},
        as_json=as_json,
        text="Đã cập nhật. / Done." if changed else "Không có gì mới. / Nothing to do.",
    )


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Compare with graphql/schema.graphql; exit 1 when it differs.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write graphql/schema.graphql.")] = False,
) -> None:
    """Print the GraphQL schema."""
    from app.gateway.schema import schema as gateway_schema
    from app.gateway.trusted import FOLDER

    text = gateway_schema().as_str() + "\n"
    path = FOLDER / "schema.graphql"
    if write:
        path.write_text(text, encoding="utf-8")
    elif check:
        known = path.read_text(encoding="utf-8") if path.exists() else ""
        sys.stdout.writelines(difflib.unified_diff(known.splitlines(True), text.splitlines(True), "committed", "code"))
        if known != text:
            fail("graphql/schema.graphql khác với mã nguồn.", "graphql/schema.graphql differs from the code.")
    else:
        print(text, end="")


def _print_settings() -> None:
    for name, field in Settings.model_fields.items():
        default = "(required)" if field.is_required() else f"(default {field.default!r})"
        print(f"SOKHOE_{name.upper():<24} {default}\n    {field.description}")


def register(nouns: Iterable[str]) -> None:
    """Add the commands of `nouns` to the command line."""
    for noun in nouns:
        module = import_module(f"app.commands.{NOUNS[noun]}")
        if NOUNS[noun] == noun and hasattr(module, "app"):
            app.add_typer(module.app, name=noun)
        else:
            app.command()(getattr(module, noun))


def main() -> None:
    """Run the command line."""
    asked = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    own = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    register([asked] if asked in NOUNS else () if asked in own else NOUNS)
    app()
