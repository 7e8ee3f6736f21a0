"""`.env.example` is made from the settings: `.venv/bin/python -m tests.contract.test_settings` writes it again."""

import json
import textwrap
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from app.core.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
HEAD = """\
# Every setting, as `sokhoe serve --print-settings` lists them. A line with # shows a default; the others must be set.
# Nothing reads this file by itself: `set -a; . ./.env; set +a` does (JSON in single quotes). It holds no secret: those
# are files in SOKHOE_SECRETS_DIR (`python3 infra/make_secrets.py DIRECTORY` makes them).
"""


def example() -> str:
    return HEAD + "".join(_lines(name, field) for name, field in Settings.model_fields.items())


def _lines(name: str, field: FieldInfo) -> str:
    told = textwrap.fill(field.description or "", 118, initial_indent="# ", subsequent_indent="# ")
    if field.is_required():
        return f"\n{told}\nSOKHOE_{name.upper()}=\n"
    default = to_jsonable_python(field.default)
    said = default if isinstance(default, str) else "" if default is None else json.dumps(default)
    return f"\n{told}\n#SOKHOE_{name.upper()}={said}\n"


def test_the_example_names_every_setting_as_it_is() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example()


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


if __name__ == "__main__":
    EXAMPLE.write_text(example(), encoding="utf-8")
