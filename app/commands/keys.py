"""`sokhoe keys`: the key with which fields are sealed."""

import os
import secrets
import stat
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.crypto import KEY_BYTES, KeyFileError, read_key_file
from app.core.db import Session
from app.core.marks import MARKED

app = typer.Typer(no_args_is_help=True, help="Keys of this installation.")


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Make a new sealing key; the old ones still open what they sealed. Restart API and worker afterwards."""
    path = read_settings().secrets_dir / "sealing.keys"
    try:
        known = read_key_file(path)
    except KeyFileError as error:
        fail(f"Không đọc được tệp khóa. {error}", f"The key file cannot be read. {error}")
    key_id = f"k{1 + max((int(name[1:]) for name in known if name[1:].isdigit()), default=0)}"
    lines = [f"{key_id}:{secrets.token_hex(KEY_BYTES)}", *(f"{name}:{key.hex()}" for name, key in known.items())]
    try:
        _replace(path, "\n".join(lines) + "\n")
    except OSError as error:
        said = error.strerror or type(error).__name__
        fail(
            f"Không ghi được {path} ({said}); khóa cũ vẫn còn nguyên. "
            "Hãy chạy với tài khoản sở hữu thư mục bí mật, trên máy giữ thư mục đó.",
            f"{path} cannot be written ({said}); the keys are as they were. "
            "Run this as the owner of the secrets, on the machine that has them.",
        )
    show({"key": key_id, "keys": len(lines)}, as_json=as_json, text=f"Khóa mới / new key: {key_id}")


@app.command()
def forget(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The key file that a start named: " + ", ".join(MARKED))],
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The id of its key.")],
    as_json: AsJson = False,
) -> None:
    """Give up a key that is lost for ever. What it sealed stays closed; nobody is found whom it indexed.

    A start takes what stands in the file then.
    """

    async def step(session: Session) -> bool:
        await session.execute(text("SET LOCAL ROLE auth_owner"))
        gone = text("DELETE FROM auth.key_mark WHERE file = :file AND key_id = :key_id RETURNING true")
        return bool((await session.scalars(gone, {"file": file, "key_id": key_id})).all())

    if not run(as_migrator(read_settings(), step)):
        fail("Cơ sở dữ liệu không biết khóa nào như vậy.", "The database knows no such key.")
    show({"file": file, "key": key_id, "forgotten": True}, as_json=as_json, text=f"Đã bỏ / given up: {file} {key_id}")


def _replace(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all. Whoever may read the old one may read it: API and worker too."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    old = path.stat()
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
