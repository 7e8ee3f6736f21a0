"""`sokhoe citizen`: accounts of people are closed and opened again, and follow a personal id that was issued anew.

A personal id is asked for and not an argument of its own accord, so that it stays out of the shell's history; what is
printed names nobody.
"""

from typing import Annotated, Any

import typer

from app.appointments import sql as care
from app.commands.console import AsJson, day_of, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.clock import utc_now
from app.core.db import Login, Session
from app.core.ids import new_id
from app.core.marks import open_known_vault
from app.identity import closing, closing_sql, reissuing
from app.identity.closing import ClosureReason
from app.sharing import sql as sharing_sql

app = typer.Typer(no_args_is_help=True, help="Accounts of citizens.")


def _asked(vi: str, en: str) -> Any:
    said = f"{vi} / {en}"
    return typer.Option(prompt=said, hide_input=True, help=f"{said}: 12 digits; asked for when it is left out.")


PersonalId = Annotated[
    str,
    typer.Option(
        prompt="Số định danh cá nhân / personal id",
        hide_input=True,
        help="12 digits; asked for when it is left out, so that no shell keeps it.",
    ),
]


@app.command()
def close(
    reason: Annotated[ClosureReason, typer.Option(help="DEATH, REQUEST (of the person) or MISUSE.")],
    personal_id: PersonalId,
    as_json: AsJson = False,
) -> None:
    """Close the account of somebody who has died, or who asked for it: nothing of theirs works at the next request.

    Sessions in every role, share codes and accesses given to others end; appointments to come are cancelled and their
    places offered to who waits; representation by them or of them stands still. Hospitals' messages go on into the
    book.
    """
    settings = read_settings()

    async def step(session: Session) -> dict[str, Any]:
        vault = await open_known_vault(settings, Login.MIGRATOR)
        citizen_id = await closing.citizen_of(session, personal_id=personal_id, vault=vault)
        ended = await closing.close(session, closure_id=new_id(now=utc_now()), citizen_id=citizen_id, reason=reason)
        appointments, waits = await care.end_care(session, citizen_id=citizen_id, terms=care.terms(settings))
        codes, grants = await sharing_sql.end_sharing(session, citizen_id=citizen_id, why="ACCOUNT_CLOSED")
        return {
            "citizen": str(citizen_id),
            "reason": reason.value,
            "sessions": ended,
            "codes": codes,
            "grants": grants,
            "appointments": appointments,
            "waitlists": waits,
        }

    said = run(as_migrator(settings, step))
    counts = (
        f"{said['sessions']} phiên / sessions, {said['codes']} mã / codes, {said['grants']} quyền xem / accesses, "
        f"{said['appointments']} lịch hẹn / appointments, {said['waitlists']} danh sách chờ / waiting lists"
    )
    show(said, as_json=as_json, text=f"Đã đóng / closed: {said['citizen']} ({counts})")


@app.command()
def reopen(personal_id: PersonalId, as_json: AsJson = False) -> None:
    """Open an account again that was closed by mistake: its person signs in anew, what had ended stays ended."""
    settings = read_settings()

    async def step(session: Session) -> dict[str, Any]:
        vault = await open_known_vault(settings, Login.MIGRATOR)
        citizen_id = await closing.citizen_of(session, personal_id=personal_id, vault=vault)
        await closing.reopen(session, citizen_id=citizen_id)
        return {"citizen": str(citizen_id)}

    said = run(as_migrator(settings, step))
    show(said, as_json=as_json, text=f"Đã mở lại / opened again: {said['citizen']}")


@app.command("drop-factor")
def drop_factor(personal_id: PersonalId, as_json: AsJson = False) -> None:
    """Take the second factor of somebody who lost phone and recovery codes, once you have seen who they are.

    All their sessions end and they are told; after signing in again they may enrol another.
    """
    settings = read_settings()

    async def step(session: Session) -> dict[str, Any]:
        vault = await open_known_vault(settings, Login.MIGRATOR)
        citizen_id = await closing.citizen_of(session, personal_id=personal_id, vault=vault)
        return {
            "citizen": str(citizen_id),
            "dropped": await closing_sql.drop_factor(session, citizen_id=citizen_id),
        }

    said = run(as_migrator(settings, step))
    if not said["dropped"]:
        fail("Người này chưa có cách xác thực thứ hai nào.", "This person has no second factor.")
    show(said, as_json=as_json, text=f"Đã gỡ cách xác thực thứ hai / second factor taken: {said['citizen']}")


@app.command()
def reissue(
    old: Annotated[str, _asked("Số định danh cũ, đã hủy", "The old personal id, cancelled")],
    new: Annotated[str, _asked("Số định danh mới", "The new personal id")],
    name: Annotated[
        str,
        typer.Option(prompt="Họ tên trên giấy / name on the paper", hide_input=True, help="As the paper has it."),
    ],
    born: Annotated[
        str,
        typer.Option(
            prompt="Ngày sinh trên giấy (YYYY-MM-DD) / birth date on the paper",
            hide_input=True,
            help="YYYY-MM-DD, as it is right now; asked for when it is left out.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Record that a personal id was cancelled and issued again, once you have seen the paper that names both.

    Both numbers lead to the book of the old one from now on, with birth date and sex as they are corrected. Its
    person is signed out everywhere, and signs in with the new number. What had come under the new number is joined, and
    they may undo that in the app.
    """
    settings = read_settings()
    paper = reissuing.Reissue(
        old=old,
        new=new,
        full_name=name,
        birth_on=day_of(born, option="--born"),
        identifier_id=new_id(now=utc_now()),
        join_id=new_id(now=utc_now()),
    )

    async def step(session: Session) -> dict[str, Any]:
        vault = await open_known_vault(settings, Login.MIGRATOR)
        return {"citizen": str(await reissuing.reissue(session, paper=paper, vault=vault))}

    said = run(as_migrator(settings, step))
    show(said, as_json=as_json, text=f"Đã ghi nhận số mới / the new number is recorded: {said['citizen']}")
