"""`sokhoe queue` and `sokhoe replay`: what waits, what failed, and another try."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import text

from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_worker
from app.core.db import Session
from app.ingestion import sql
from app.notifications import sql as notices


def queue(
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="First let every failed job run again, after a fix.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how many jobs wait, run and failed, with the age of the oldest, and pushes that failed for good.

    `later` waits for its time; `failed` means that it is not tried again by itself: the log of the worker says why.
    A push that failed for good names the push service's reason, and nobody.
    """
    found = run(as_worker(read_settings(), partial(_counts, retry_failed=retry_failed)))
    lines = [
        f"{one['kind']:<20} {one['status']:<10} {one['count']:>7}  {one['oldestSeconds']} s  {one.get('reason', '')}"
        for one in found
    ]
    show(
        found,
        as_json=as_json,
        text="\n".join(line.rstrip() for line in lines) or "Hàng đợi trống. / The queue is empty.",
    )


def replay(
    message: Annotated[str, typer.Argument(help="Id of a message that was not wholly filed.")], as_json: AsJson = False
) -> None:
    """Take up a quarantined, rejected or partly filed message again, after a fix."""
    try:
        message_id = UUID(message)
    except ValueError as error:
        raise typer.BadParameter("not an id", param_hint="MESSAGE") from error
    if not run(as_worker(read_settings(), partial(sql.replay_message, message_id=message_id))):
        fail("Không có thông điệp nào cần xử lý lại với mã này.", "No message with this id waits for another try.")
    show({"messageId": message, "replayed": True}, as_json=as_json, text=f"{message}: xử lý lại / taken up again")


async def _counts(session: Session, *, retry_failed: bool) -> list[dict[str, Any]]:
    if retry_failed:  # by the one way in: a failed job may have a live twin of its dedupe_key
        again = text(
            "WITH failed AS (DELETE FROM jobs.pgqueuer WHERE status = 'failed' RETURNING *) SELECT jobs.enqueue("
            "entrypoint, CAST(convert_from(payload, 'UTF8') AS jsonb), now(), dedupe_key, priority) FROM failed"
        )
        await session.execute(again)
    query = text(
        "SELECT entrypoint AS kind, "
        "CASE WHEN status = 'queued' AND execute_after > now() THEN 'later' ELSE status::text END AS status, "
        "count(*) AS count, extract(epoch FROM now() - min(created))::int AS oldest "
        "FROM jobs.pgqueuer GROUP BY 1, 2 ORDER BY 1, 2"
    )
    jobs = [
        {"kind": row.kind, "status": row.status, "count": row.count, "oldestSeconds": row.oldest}
        for row in (await session.execute(query)).all()
    ]
    return jobs + [
        {
            "kind": "push",
            "status": "failed",
            "count": one.failed,
            "oldestSeconds": one.oldest_seconds,
            "reason": one.reason,
        }
        for one in await notices.failed_pushes(session)
    ]
