"""What every command shares: settings, output for people or machines, exit codes. Needs little: starts are quick."""

import json
import os
import sys
from collections.abc import Coroutine
from contextlib import nullcontext
from contextvars import ContextVar
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.commands.reasons import reason_of
from app.core.logs import without_logs
from app.core.settings import Settings

Result = TypeVar("Result")
DONE, FAILED, USAGE = 0, 1, 2

_asked_for_json: ContextVar[bool] = ContextVar("asked_for_json", default=False)


def _remember(asked: bool) -> bool:
    _asked_for_json.set(asked)
    return asked


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.", callback=_remember)]
FailsAsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Say as JSON, too, why it does not start; it prints nothing but its log.", callback=_remember
    ),
]


def fail(vi: str, en: str) -> NoReturn:
    """Say what went wrong in both languages, with --json as JSON, and end with exit code 1."""
    if _asked_for_json.get():
        show({"status": "failed", "vi": vi, "en": en}, as_json=True, text="")
    else:
        print(f"{vi}\n{en}", file=sys.stderr)
    raise typer.Exit(FAILED)


def read_settings() -> Settings:
    """Return the settings: of the environment, or of the demo that runs on SOKHOE_DATA or its default place."""
    environment = {**_running_demo(), **{k: v for k, v in os.environ.items() if k.startswith("SOKHOE_")}}
    os.environ.update(environment)
    try:
        return Settings()  # type: ignore[call-arg]  # the environment gives what has no default
    except (ValidationError, SettingsError) as error:
        missing = _wrong_settings(error)
        fail(
            f"Thiếu hoặc sai cài đặt: {missing}. Hãy đặt biến môi trường, hoặc chạy `python3 dev.py run` trước; "
            "bản demo ở thư mục khác: SOKHOE_DATA=DIR.",
            f"Settings are missing or wrong: {missing}. Set them, or run `python3 dev.py run` first; "
            "a demo of another folder is found by SOKHOE_DATA=DIR.",
        )


def _wrong_settings(error: ValidationError | SettingsError) -> str:
    """Name the settings, never their values, and what is wrong with those that are there."""
    if isinstance(error, SettingsError):  # its only word of the setting is in its text
        return "SOKHOE_" + str(error).partition('field "')[2].partition('"')[0].upper() + " (JSON)"
    names = []
    for one in error.errors(include_input=False):
        name = f"SOKHOE_{'.'.join(str(part) for part in one['loc'])}".upper()
        names.append(name if one["type"] == "missing" else f"{name} ({one['msg']})")
    return ", ".join(names)


def data_folder() -> Path:
    """Return where the demo keeps its data: SOKHOE_DATA, or the user's data folder."""
    chosen = os.environ.get("SOKHOE_DATA")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "sokhoe"
    if os.geteuid() == 0:
        return Path("/var/lib/sokhoe")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "sokhoe"


def _running_demo() -> dict[str, str]:
    try:
        running = json.loads((data_folder() / "running.json").read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in running["environment"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def run(work: Coroutine[Any, Any, Result], *, logs: bool = False) -> Result:
    """Run to the end; what an operator can mend is told in both languages, a defect by its traceback."""
    try:
        with nullcontext() if logs else without_logs():
            return uvloop.run(work)
    except Exception as error:
        told = reason_of(error)
        if told is None:
            raise
        fail(told.vi, told.en)


def day_of(said: str, *, option: str) -> date:
    """Read a day that an option names.

    :raises typer.BadParameter: when it is not written YYYY-MM-DD
    """
    try:
        return date.fromisoformat(said.strip())
    except ValueError:
        raise typer.BadParameter("YYYY-MM-DD", param_hint=option) from None


def show(value: dict[str, Any] | list[Any], *, as_json: bool, text: str) -> None:
    """Print for a machine or for a person."""
    print(json.dumps(value, ensure_ascii=False, indent=2) if as_json else text)
