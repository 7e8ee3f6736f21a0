"""`sokhoe family`: who represents whom, when somebody of the service has seen the papers.

Personal ids and the paper's number are asked for, so that they stay out of the shell's history; what is printed names
nobody.
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import typer

from app.commands.console import AsJson, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.clock import VIETNAM_TIME, moment_text, utc_now
from app.core.db import Login, Session
from app.core.ids import new_id
from app.core.marks import open_known_vault
from app.identity import families, family_sql
from app.identity.families import RepresentationKind, SeenPapers

app = typer.Typer(no_args_is_help=True, help="Who represents whom, by papers that were seen.")


def _asked(vi: str, en: str) -> Any:
    said = f"{vi} / {en}"
    return typer.Option(prompt=said, hide_input=True, help=f"{said}: 12 digits; asked for when it is left out.")


Dependant = Annotated[str, _asked("Số định danh của người được đại diện", "Personal id of who is represented")]
Representative = Annotated[str, _asked("Số định danh của người đại diện", "Personal id of the representative")]
Paper = Annotated[
    str,
    typer.Option(
        prompt="Giấy tờ đã xem (loại, số, ngày, nơi cấp) / the paper that was seen (kind, number, day, issuer)",
        help="Which paper was seen: kept sealed beside the representation.",
    ),
]
Claim = Annotated[UUID, typer.Argument(help="Id of the claim, which its claimant shows in the app.")]


@app.command()
def register(
    kind: Annotated[RepresentationKind, typer.Option(help="PARENT, GUARDIAN or COURT.")],
    dependant: Dependant,
    representative: Representative,
    paper: Paper,
    since: Annotated[
        str | None, typer.Option("--from", help="First day (YYYY-MM-DD); today when it is left out.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last day, of a court's decision.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register that somebody represents a child, or by a court's decision an adult. Both are told."""
    papers = _papers(
        kind, dependant=dependant, representative=representative, paper=paper, since=_day(since), until=_day(until)
    )
    settings = read_settings()

    async def step(session: Session) -> bool:
        return await families.register(session, papers=papers, vault=await open_known_vault(settings, Login.MIGRATOR))

    added = run(as_migrator(settings, step))
    said = {"representation": str(papers.id) if added else None, "added": added}
    show(said, as_json=as_json, text="Đã đăng ký / registered" if added else "Đã có từ trước / known already")


@app.command()
def claims(as_json: AsJson = False) -> None:
    """List the claims that wait for papers, the oldest first."""
    found = [
        {**one, "id": str(one["id"]), "claimed_at": moment_text(one["claimed_at"])}
        for one in run(as_migrator(read_settings(), family_sql.open_claims))
    ]
    lines = [f"{one['id']}  {one['kind']}  {one['claimed_at']}" for one in found]
    show(found, as_json=as_json, text="\n".join(lines) or "Không có đề nghị nào đang chờ. / No claim waits.")


@app.command()
def approve(
    claim: Claim, dependant: Dependant, representative: Representative, paper: Paper, as_json: AsJson = False
) -> None:
    """Approve a claim with the papers in hand: both personal ids are typed from them, and must be the claim's."""
    papers = _papers(RepresentationKind.PARENT, dependant=dependant, representative=representative, paper=paper)
    settings = read_settings()

    async def step(session: Session) -> UUID:
        vault = await open_known_vault(settings, Login.MIGRATOR)
        return await families.approve_claim(session, claim_id=claim, papers=papers, vault=vault)

    made = run(as_migrator(settings, step))
    show({"claim": str(claim), "representation": str(made)}, as_json=as_json, text="Đã duyệt / approved")


@app.command()
def refuse(claim: Claim, as_json: AsJson = False) -> None:
    """Refuse a claim that the papers do not show."""

    async def step(session: Session) -> bool:
        return await family_sql.refuse_claim(session, claim_id=claim)

    if not run(as_migrator(read_settings(), step)):
        fail("Không có đề nghị nào như vậy đang chờ.", "No such claim waits.")
    show({"claim": str(claim), "refused": True}, as_json=as_json, text="Đã từ chối / refused")


def _papers(
    kind: RepresentationKind,
    *,
    dependant: str,
    representative: str,
    paper: str,
    since: date | None = None,
    until: date | None = None,
) -> SeenPapers:
    return SeenPapers(
        id=new_id(now=utc_now()),
        dependant=dependant.strip(),
        representative=representative.strip(),
        kind=kind,
        valid_from=since or utc_now().astimezone(VIETNAM_TIME).date(),
        valid_until=until,
        paper=paper,
    )


def _day(said: str | None) -> date | None:
    try:
        return None if said is None else date.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter("YYYY-MM-DD") from None
