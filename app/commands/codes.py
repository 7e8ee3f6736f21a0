"""`sokhoe codes`: code lists as data with validity dates."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.terminology import loading
from app.terminology.codes import SYSTEMS, BadCodeFile, read_file

app = typer.Typer(no_args_is_help=True, help="Code lists.")


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="CSV: code,name_vi,name_en,valid_from,valid_until", exists=True)],
    system: Annotated[str, typer.Option(help=f"The list to replace: {', '.join(SYSTEMS)}.")],
    as_json: AsJson = False,
) -> None:
    """Replace a code list by a file; what is wrong with the file is told by line, and then nothing is changed."""
    if system not in SYSTEMS:
        raise typer.BadParameter(", ".join(SYSTEMS), param_hint="--system")
    try:
        entries = read_file(file, system=system)
    except BadCodeFile as error:
        fail(f"{file}, dòng {error.line}: {error.text.vi}", f"{file}, line {error.line}: {error.text.en}")
    count = run(as_migrator(read_settings(), partial(loading.load, system=system, entries=entries)))
    show({"system": system, "codes": count}, as_json=as_json, text=f"{system}: {count} mã / codes")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Name the lists and what they explain."""
    lines = "\n".join(f"{name:<20} {what}" for name, what in SYSTEMS.items())
    print(json.dumps(dict(SYSTEMS), ensure_ascii=False, indent=2) if as_json else lines)
