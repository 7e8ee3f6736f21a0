"""`sokhoe quarantine`: messages that were not wholly filed, their age and reasons; never what they say of a person.

But for `export`, which hands out the bytes as they came and writes down who took them and why.
"""

import os
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_worker
from app.core.crypto import SealBroken
from app.core.db import Login, Session
from app.core.marks import open_known_vault
from app.core.settings import Settings
from app.ingestion import sql
from app.ingestion.kept import open_message

app = typer.Typer(no_args_is_help=True, help="Messages that were not wholly filed: their age and reasons.")
MOST_LISTED = 1_000
_HOUR_SECONDS = 3_600


class Unfiled(StrEnum):
    """What became of a message that was not wholly filed."""

    PARTLY = "partly"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


@app.command("list")
def list_unfiled(
    facility: Annotated[str | None, typer.Option(help="Only of this facility.")] = None,
    status: Annotated[Unfiled | None, typer.Option(help="Only these.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this code, for example NAME_DIFFERS.")] = None,
    older_than: Annotated[int, typer.Option("--older-than", min=0, help="Only older than so many hours.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many, the oldest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List messages that were not wholly filed, the oldest first, with age and reasons."""
    step = partial(
        sql.unfiled_messages,
        facility_code=facility,
        status=status,
        reason=reason,
        min_age=timedelta(hours=older_than),
        page=limit,
    )
    found = [_listed(one) for one in run(as_worker(read_settings(), step))]
    text = "\n".join(
        f"{one['messageId']}  {one['facility']}  {one['status']:<11}  {one['ageSeconds'] // _HOUR_SECONDS:>5} h  "
        f"{one['sizeBytes']:>9} B  {', '.join(one['reasons'])}"
        for one in found
    )
    show(found, as_json=as_json, text=text or "Không có thông điệp nào. / There is none.")


@app.command("show")
def show_unfiled(
    message: Annotated[str, typer.Argument(help="Id of a message that was not wholly filed.")], as_json: AsJson = False
) -> None:
    """Tell where and why a message was not filed, and whether its bytes still open for another try."""
    message_id, settings = _id_of(message), read_settings()
    found = run(as_worker(settings, partial(_told, message_id=message_id, settings=settings)))
    if found is None:
        fail("Không có thông điệp nào đang được giữ lại với mã này.", "No message with this id is held.")
    lines = [f"{message}  {found['facility']}  {found['status']}  {found['bytes']}"]
    for one in found["problems"]:
        place = " ".join(str(one[part]) for part in ("table", "line", "field") if part in one)
        lines += [f"  {one['effect']} {one['code']} {place}", f"    {one['vi']}", f"    {one['en']}"]
    lines += [f"  → {one['at']} {one['by']}: {one['reason']}" for one in found["exports"]]
    show(found, as_json=as_json, text="\n".join(lines))


@app.command("export")
def export(
    message: Annotated[str, typer.Argument(help="Id of a message that was not wholly filed.")],
    to: Annotated[Path, typer.Option("--to", help="New file for the bytes as they came; only its owner may read it.")],
    operator: Annotated[str, typer.Option("--by", help="Who takes them: a name or an account.")],
    reason: Annotated[str, typer.Option(help="Why, for example the number of a ticket.")],
    as_json: AsJson = False,
) -> None:
    """Write the bytes of a message to a file, and write down who took them and why."""
    if not operator.strip() or not reason.strip():
        raise typer.BadParameter("may not be empty", param_hint="--by, --reason")
    message_id, settings = _id_of(message), read_settings()
    try:
        file = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        fail(f"Không tạo được tệp mới {to}.", f"{to} cannot be made as a new file.")
    step = partial(
        _exported, message_id=message_id, operator=operator.strip(), reason=reason.strip(), settings=settings
    )
    try:
        body = run(as_worker(settings, step))
        with os.fdopen(os.dup(file), "wb") as target:
            target.write(body or b"")
    except BaseException:
        to.unlink()
        raise
    finally:
        os.close(file)
    if body is None:
        to.unlink()
        fail("Không có thông điệp nào đang được giữ lại với mã này.", "No message with this id is held.")
    told = {"messageId": message, "file": str(to), "sizeBytes": len(body), "by": operator, "reason": reason}
    show(told, as_json=as_json, text=f"{message}: {len(body)} byte → {to}")


async def _exported(
    session: Session, *, message_id: UUID, operator: str, reason: str, settings: Settings
) -> bytes | None:
    """Take and open the bytes in one transaction: what does not open was not taken."""
    found = await sql.export_message(session, message_id=message_id, operator=operator, reason=reason)
    sealer = (await open_known_vault(settings, Login.WORKER)).sealer
    return None if found is None else open_message(found.body, message_id=message_id, sealer=sealer)


def _id_of(message: str) -> UUID:
    try:
        return UUID(message)
    except ValueError as error:
        raise typer.BadParameter("not an id", param_hint="MESSAGE") from error


def _listed(one: sql.UnfiledMessage) -> dict[str, Any]:
    return {
        "messageId": str(one.id),
        "facility": one.facility_code,
        "status": one.status,
        "receivedAt": one.received_at.isoformat(),
        "ageSeconds": one.age_seconds,
        "sizeBytes": one.size_bytes,
        "reasons": one.reasons,
    }


async def _told(session: Session, *, message_id: UUID, settings: Settings) -> dict[str, Any] | None:
    found = await sql.unfiled_message(session, message_id=message_id)
    if found is None:
        return None
    sealer = (await open_known_vault(settings, Login.WORKER)).sealer
    try:
        length = len(open_message(found.body, message_id=message_id, sealer=sealer))
        opens = f"{length} byte, còn nguyên / intact"
    except SealBroken:
        opens = "không mở được / do not open"
    listed = (*found.verdict["problems"], *(one for visit in found.verdict["visits"] for one in visit["problems"]))
    return {
        "messageId": str(message_id),
        "facility": found.facility_code,
        "status": found.status,
        "receivedAt": found.received_at.isoformat(),
        "bytes": opens,
        "problems": [one for one in listed if one["effect"] in {"REJECTS", "QUARANTINES"}],
        "exports": [
            {"at": one.exported_at.isoformat(), "by": one.operator, "reason": one.reason}
            for one in await sql.exports(session, message_id=message_id)
        ],
    }
