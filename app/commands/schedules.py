"""`sokhoe schedules`: a facility publishes when people may come."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.appointments import publishing, reading
from app.commands.console import FAILED, AsJson, data_folder, read_settings, run, show
from app.commands.hospital import private_key
from app.connector import ConnectorError, HospitalClient
from app.core.clock import utc_now
from app.core.ids import new_id

app = typer.Typer(no_args_is_help=True, help="A facility's schedules: CSV or JSON, checked first and then published.")

JSON, CSV = "application/json", "text/csv"


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="Schedules (.csv or .json).", exists=True, dir_okay=False)],
    facility: Annotated[str, typer.Option(help="Code of the publishing facility.")] = "01901",
    key: Annotated[Path | None, typer.Option(help="Its private key (JWK); the demo's own when left out.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of the server; SOKHOE_PUBLIC_URL when left out.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; nothing is sent.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish schedules in place of those published before; what is wrong is told by line, and then nothing is sent."""
    body = file.read_bytes()
    is_json = file.suffix.lower() == ".json"
    plan = reading.read_json(body) if is_json else reading.read_csv(body)
    arrived, problems = publishing.arrived_of(plan, now=utc_now(), new_id=lambda: new_id(now=utc_now()))
    if problems:
        _refuse({"file": str(file), "status": "refused", "problems": publishing.report_of(problems)}, as_json=as_json)
    if check:
        counted = [{"code": one["code"], "slots": len(one["slots"])} for one in arrived]
        _tell({"file": str(file), "status": "accepted", "schedules": counted}, as_json=as_json)
        return
    address = url or read_settings().public_url
    private = private_key(key or data_folder() / "keys" / f"{facility}.jwk")

    async def send() -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=address, timeout=30) as http:
            client = HospitalClient(
                base_url=address,
                facility_code=facility,
                key=private,
                http=http,
                clock=utc_now,
                new_id=lambda: new_id(now=utc_now()),
            )
            try:
                return await client.publish_schedules(body, media_type=JSON if is_json else CSV)
            except ConnectorError as error:
                told = {"vi": error.vi, "en": error.en, "problems": list(error.problems)}
                return {"status": "refused", **told}

    found = {"file": str(file), **run(send())}
    if found["status"] == "refused":
        _refuse(found, as_json=as_json)
    _tell(found, as_json=as_json)


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    lines = [f"{found['file']}: {found['status']}"]
    lines += [f"  {one['code']}: {one['slots']} khung giờ / slots" for one in found["schedules"]]
    show(found, as_json=as_json, text="\n".join(lines))


def _refuse(found: dict[str, Any], *, as_json: bool) -> None:
    lines = [f"{found['file']}: {found['status']}"]
    lines += [f"  {found[language]}" for language in ("vi", "en") if language in found]
    for one in found["problems"]:
        lines += [f"  {one['place']}"] if one["place"] else []
        lines += [f"    {one['vi']}", f"    {one['en']}"]
    show(found, as_json=as_json, text="\n".join(lines))
    raise typer.Exit(FAILED)
