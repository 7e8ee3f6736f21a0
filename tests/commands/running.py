"""How tests run the service door: in this process, or as the program itself."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from app import cli

cli.register(cli.NOUNS)


ROOT = Path(__file__).parents[2]


GOLDEN = ROOT / "tests" / "golden" / "qd4750"


GOOD, BAD = str(GOLDEN / "outpatient.xml"), str(GOLDEN / "one-good-one-bad.xml")


VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.IGNORECASE)


class Sokhoe:
    """Runs commands in this process."""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command that must end with `code`; return all that it said."""
        done = CliRunner().invoke(cli.app, list(arguments))
        assert done.exit_code == code, f"{done.exit_code}: {done.output}\n{done.exception!r}"
        assert code == 0 or isinstance(done.exception, SystemExit), repr(done.exception)
        return done.output

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json."""
        return json.loads(self(*arguments, "--json", code=code))


def bilingual(said: str) -> None:
    first, second = said.strip().splitlines()[:2]
    assert VIETNAMESE.search(first), said
    assert not VIETNAMESE.search(second), said


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program itself."""
    return subprocess.run(
        [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **variables},
    )
