"""`sokhoe practitioners`: the register of practising certificates."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from app.commands.console import FAILED, AsJson, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.clock import utc_now
from app.core.db import Login, Session
from app.core.ids import new_id
from app.core.marks import open_known_vault
from app.core.settings import Settings
from app.identity import practitioners, register_sql
from app.identity.register import COLUMNS, Register, read_register
from app.identity.register_sql import Stored

app = typer.Typer(no_args_is_help=True, help="The register of practitioners.")


class _OnlyTried(Exception):
    """Ends a dry run, so that nothing of it is committed."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored


@app.callback()
def group() -> None:
    """Keep `import` a word of its own."""


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help=f"CSV, UTF-8: {','.join(COLUMNS)}", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Store certificates and places of work; with any fault in the file nothing is changed, and every fault is told.

    The same file again changes nothing. A place that a certificate's lines do not name any more ends.
    """
    settings = read_settings()
    body = file.read_bytes()
    register = read_register(body, facilities=run(as_migrator(settings, register_sql.registered_facilities)))
    stored = Stored(added=0, changed=0) if register.problems else run(_store(settings, register, dry_run=dry_run))
    said: dict[str, Any] = {
        "file": str(file),
        "dryRun": dry_run,
        "lines": register.lines,
        "practitioners": len(register.entries),
        "added": stored.added,
        "changed": stored.changed,
        "problems": [problem.body() for problem in register.problems],
    }
    show(said, as_json=as_json, text=_lines(said))
    if register.problems:
        raise typer.Exit(FAILED)


async def _store(settings: Settings, register: Register, *, dry_run: bool) -> Stored:
    store = partial(
        practitioners.store,
        entries=register.entries,
        vault=await open_known_vault(settings, Login.MIGRATOR),
        now=utc_now(),
        new_id=_new_id,
    )

    async def tried(session: Session) -> Stored:
        raise _OnlyTried(await store(session))

    try:
        return await as_migrator(settings, tried if dry_run else store)
    except _OnlyTried as only:
        return only.stored


def _new_id() -> UUID:
    return new_id(now=utc_now())


def _lines(said: dict[str, Any]) -> str:
    if said["problems"]:
        count = len(said["problems"])
        lines = [f"{said['file']}: không lưu gì, {count} lỗi / nothing stored, {count} faults"]
        for one in said["problems"]:
            lines += [f"  {one['line']}: {one['field']} {one['code']}", f"    {one['vi']}", f"    {one['en']}"]
        return "\n".join(lines)
    tried = " (chạy thử, không lưu / dry run, nothing stored)" if said["dryRun"] else ""
    return (
        f"{said['practitioners']} người hành nghề / practitioners: "
        f"{said['added']} mới / new, {said['changed']} thay đổi / changed{tried}"
    )
