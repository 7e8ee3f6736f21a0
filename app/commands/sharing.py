"""`sokhoe sharing`: what a person of the service reviews of emergency accesses and alarms."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import text

from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.db import Session
from app.sharing import sql

app = typer.Typer(no_args_is_help=True, help="Emergency accesses and alarms.")
_AS_OWNER = text("SET LOCAL ROLE auth_owner")


@app.command()
def emergencies(
    every: Annotated[bool, typer.Option("--all", help="Those that were reviewed too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List emergency accesses that wait for review, the oldest first."""

    async def listed(session: Session) -> list[dict[str, Any]]:
        await session.execute(_AS_OWNER)
        return await sql.emergencies(session, all_of_them=every)

    found = run(as_migrator(read_settings(), listed))
    lines = [
        f"{one['id']}  {one['starts_at']}  {one['practitioner_certificate']} {one['practitioner_name']}  "
        f"{one['facility_code']}  {one['readings']} lượt xem / readings\n    {one['reason']}"
        for one in found
    ]
    show(found, as_json=as_json, text="\n".join(lines) or "Không có lượt nào chờ rà soát. / None waits for review.")


@app.command()
def review(
    grant_id: Annotated[UUID, typer.Argument(help="Id of the emergency access.")],
    finding: Annotated[str, typer.Option(help="What the review found, in a few words.")],
    as_json: AsJson = False,
) -> None:
    """Keep what the review of one emergency access found."""

    async def kept(session: Session) -> bool:
        await session.execute(_AS_OWNER)
        return await sql.reviewed_emergency(session, grant_id=grant_id, review=finding)

    if not run(as_migrator(read_settings(), kept)):
        fail("Không có lượt cấp cứu nào như vậy chờ rà soát.", "No such emergency access waits for review.")
    show({"id": str(grant_id), "finding": finding}, as_json=as_json, text=f"{grant_id}: đã ghi / kept")


@app.command()
def alarms(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far to look back.")] = 7,
    as_json: AsJson = False,
) -> None:
    """List what looked like guessing or bulk use, the latest first; an alarm locks nobody."""

    async def listed(session: Session) -> list[dict[str, Any]]:
        await session.execute(_AS_OWNER)
        return await partial(sql.alarms, since=timedelta(days=days))(session)

    found = run(as_migrator(read_settings(), listed))
    lines = [f"{one['raised_at']}  {one['kind']}  {one['subject']}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines) or "Không có cảnh báo. / No alarm.")
