"""`sokhoe audit`: check the visitors' book, and answer what citizens question."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import typer
from sqlalchemy import text

from app.audit import verifying
from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.db import Login, Session
from app.core.logins import connect
from app.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The visitors' book: who looked into which health book.")


@app.command()
def verify(
    key: Annotated[
        list[str] | None, typer.Option(help="Public key (name+id+key); several are good. Else those of the database.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(exists=True, help="File of a signed head that was kept; several are good.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every line, chain, tile and signed head; exit 1 names what is wrong, or says that the log is empty."""
    notes = tuple(path.read_text(encoding="utf-8") for path in checkpoint or ())
    known = verifying.Known(verifiers=tuple(key or ()), notes=notes)
    verdict = run(_verify(read_settings(), known))
    is_empty = not verdict.lines and not verdict.problems
    status = "wrong" if verdict.problems else "empty" if is_empty else "sound"
    found = {
        "status": status,
        "lines": verdict.lines,
        "sealed": verdict.size,
        "unsealed": verdict.unsealed,
        "problems": verdict.problems,
    }
    told = {
        "sound": f"Nguyên vẹn / sound: {verdict.lines} dòng / lines, "
        f"chưa niêm phong / not sealed yet: {verdict.unsealed}",
        "empty": "Nhật ký trống. / empty",
        "wrong": "Sai lệch / wrong:\n" + "\n".join(verdict.problems),
    }
    show(found, as_json=as_json, text=told[status])
    if status != "sound":
        raise typer.Exit(1)


async def _verify(settings: Settings, known: verifying.Known) -> verifying.Verdict:
    connection = await connect(settings, Login.AUDITOR)
    try:
        await connection.execute("SET statement_timeout = 0")
        return await verifying.verify(
            connection, known=known, progress=lambda what, count: print(f"  {count} {what}", file=sys.stderr)
        )
    finally:
        await connection.close()


@app.command()
def questions(as_json: AsJson = False) -> None:
    """List the questions that wait for an answer, the one that is due first at the top."""
    found = run(_questions(read_settings()))
    lines = [f"{one['id']}  {one['dueOn']}  {one['reason']:<15} {one['action']}  {one['line']}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines) or "Không có câu hỏi nào. / No question waits.")


async def _questions(settings: Settings) -> list[dict[str, Any]]:
    connection = await connect(settings, Login.AUDITOR)
    try:
        rows = await connection.fetch(
            "SELECT q.id, q.due_on, q.reason, q.citizen_id, q.n, l.action, l.actor_name, l.facility_code "
            "FROM audit.question q LEFT JOIN audit.line l ON l.citizen_id = q.citizen_id AND l.n = q.n "
            "WHERE q.state = 'OPEN' ORDER BY q.due_on, q.id"
        )
    finally:
        await connection.close()
    return [
        {
            "id": str(row["id"]),
            "dueOn": row["due_on"].isoformat(),
            "reason": row["reason"],
            "action": row["action"],
            "actor": row["actor_name"],
            "facilityCode": row["facility_code"],
            "line": f"{row['citizen_id']}.{row['n']}",
        }
        for row in rows
    ]


@app.command()
def answer(
    question: Annotated[UUID, typer.Argument(help="Id of the question, as `audit questions` lists it.")],
    outcome: Annotated[Literal["JUSTIFIED", "NOT_JUSTIFIED"], typer.Option(help="What was found.")],
    by: Annotated[str, typer.Option(help="Who answers, as the citizen reads it: an office, not a private person.")],
    as_json: AsJson = False,
) -> None:
    """Answer a citizen's question about a line."""

    async def step(session: Session) -> bool:
        await session.execute(text("SET LOCAL ROLE auth_owner"))
        done = await session.scalar(
            text("SELECT audit.answer_question(:question, :outcome, :by)"),
            {"question": question, "outcome": outcome, "by": by},
        )
        return done is True

    if not run(as_migrator(read_settings(), step)):
        fail("Không có câu hỏi nào với mã này đang chờ.", "No question with this id waits.")
    show({"question": str(question), "outcome": outcome}, as_json=as_json, text=f"{question}: đã trả lời / answered")
