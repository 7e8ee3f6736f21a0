"""`sokhoe facility change`: a hospital changes its system, or takes over another one, and sends its records again."""

from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from app.commands.console import AsJson, day_of, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.clock import VIETNAM_TIME, utc_now
from app.core.crypto import Place
from app.core.db import Login, Session
from app.core.ids import new_id
from app.core.marks import open_known_vault
from app.facilities import registry, sql
from app.facilities.sql import ChangeEntry

_YEARS = 2
CHANGE_UNDONE = "CHANGE_UNDONE"
VISIT = "VISIT"


def change(
    code: Annotated[str, typer.Argument(help="The facility that sends now, for example 01901.")],
    begins: Annotated[
        str | None, typer.Option("--begins", help="First day of the new system, YYYY-MM-DD; today when left out.")
    ] = None,
    resent_from: Annotated[
        str | None, typer.Option("--resent-from", help="From which day on it sends again; two years before --begins.")
    ] = None,
    ends: Annotated[
        str | None, typer.Option("--ends", help="Last day on which anything is sent again; none when left out.")
    ] = None,
    predecessor: Annotated[
        str | None, typer.Option(help="The facility whose records it takes over; left out: its own system changes.")
    ] = None,
    branch: Annotated[
        bool, typer.Option("--branch", help="It is a branch of the predecessor (or the other way round), no merger.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Declare that records will be sent again under new ids; rotate the key with `rotate-key`."""
    first = utc_now().astimezone(VIETNAM_TIME).date() if begins is None else day_of(begins, option="--begins")
    entry = ChangeEntry(
        id=new_id(now=utc_now()),
        code=code,
        predecessor=predecessor or code,
        kind="SYSTEM" if predecessor in (None, code) else "BRANCH" if branch else "MERGER",
        resent_from=_years_before(first) if resent_from is None else day_of(resent_from, option="--resent-from"),
        begins_on=first,
        ends_on=None if ends is None else day_of(ends, option="--ends"),
    )
    run(as_migrator(read_settings(), partial(registry.declare_change, entry=entry, now=utc_now())))
    said = {"id": str(entry.id), "code": code, "predecessor": entry.predecessor, "kind": entry.kind}
    days = f"{entry.resent_from} … {entry.begins_on}"
    show(said, as_json=as_json, text=f"{code}: thay đổi / change {entry.id} ({entry.kind}, {days})")


def changes(as_json: AsJson = False) -> None:
    """List changes of systems and mergers, and how many records were sent again in each."""
    found = run(as_migrator(read_settings(), sql.changes))
    said = [{key: None if value is None else str(value) for key, value in one.items()} for one in found]
    lines = "\n".join(
        f"{one['id']}  {one['facility_code']} <- {one['predecessor_code']}  {one['kind']:<7}  {one['begins_on']}  "
        f"{one['resent']:>7}  {'undone' if one['undone_at'] else ''}"
        for one in said
    )
    show(said, as_json=as_json, text=lines or "Chưa có thay đổi nào. / No change yet.")


def undo_change(
    change_id: Annotated[str, typer.Argument(metavar="CHANGE", help="Id that `changes` lists.")],
    as_json: AsJson = False,
) -> None:
    """Undo a change: every record that was sent again stands as before, by the queue."""
    try:
        which = UUID(change_id)
    except ValueError as error:
        raise typer.BadParameter("an id as `changes` lists it") from error
    settings = read_settings()

    async def step(session: Session) -> int:
        vault = await open_known_vault(settings, Login.MIGRATOR)
        found = await registry.undo_change(session, change_id=which)
        for one in found:
            split_id = new_id(now=utc_now())
            place = Place(table="intake.message", column="body", row_id=split_id)
            sealed = vault.sealer.seal(split_body(one), place=place)
            await sql.keep_split(session, split_id=split_id, facility_code=one.facility, sealed=sealed)
        return len(found)

    count = run(as_migrator(settings, step))
    show(
        {"change": change_id, "records": count},
        as_json=as_json,
        text=f"Đã hủy / undone: {count} bản ghi được trả lại như cũ / records go back to what they were",
    )


def split_body(one: sql.ResentRecord) -> bytes:
    """Return what the worker is told of a record that is to be put back (app.ingestion.splitting)."""
    told: dict[str, Any] = {
        "reason": CHANGE_UNDONE,
        "citizen": str(one.citizen),
        "visit": one.source if one.kind == VISIT else f"{one.kind} {one.source}",
        "kind": one.kind,
        "source": one.source,
        "messages": [str(message) for message in one.messages],
    }
    return orjson.dumps(told)


def _years_before(day: date) -> date:
    return day.replace(year=day.year - _YEARS, day=min(day.day, 28))
