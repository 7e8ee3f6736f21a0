"""`sokhoe send` and `sokhoe check`: a hospital's client."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer

from app.commands.batch import report_text
from app.commands.console import FAILED, AsJson, data_folder, fail, read_settings, run, show
from app.connector import ConnectorError, HospitalClient
from app.core.clock import utc_now
from app.core.errors import AppError
from app.core.ids import new_id
from app.ingestion import bundle_judging, fhir, formats, judging, qd4750, reporting
from app.ingestion.verdict import MessageStatus, verdict_body

Files = Annotated[
    list[Path], typer.Argument(help="Messages (XML of Decision 4750, or FHIR R4 JSON).", exists=True, dir_okay=False)
]
WAIT_SECONDS = 60.0
_NOT_FILED = frozenset({"ignored", "held_back", "quarantined", "rejected"})


def send(
    files: Files,
    facility: Annotated[str, typer.Option(help="Code of the sending facility.")] = "01901",
    key: Annotated[Path | None, typer.Option(help="Its private key (JWK); the demo's own when left out.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of the server; SOKHOE_PUBLIC_URL when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send messages as a facility would, wait until they are concluded, and print the receipts."""
    address = url or read_settings().public_url
    private = private_key(key or data_folder() / "keys" / f"{facility}.jwk")
    receipts = run(_send(files, address=address, facility=facility, key=private))
    _print(receipts, as_json=as_json)


def check(
    files: Files,
    facility: Annotated[str | None, typer.Option(help="Code of the facility that would send it.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Score the batch: what is missing, unknown codes, odd units.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge messages as the server would, without sending them: nothing is stored."""
    if not report:
        _print([_judge(file, facility=facility) for file in files], as_json=as_json)
        return
    body = reporting.batch_body([_report(file, facility=facility) for file in files])
    show(body, as_json=as_json, text=report_text(body))
    if any(one["status"] != MessageStatus.FILED for one in body["files"]):
        raise typer.Exit(FAILED)


def _report(file: Path, *, facility: str | None) -> reporting.MessageReport:
    body, now = file.read_bytes(), utc_now()
    try:
        formats.check_outside(body)
    except AppError as error:
        return reporting.MessageReport(file=str(file), status="refused", refused=error.text)
    if formats.is_fhir(body):
        bundle = fhir.read_message(body)
        judged = bundle_judging.judge_bundle(bundle, facility_code=facility, now=now)
        return reporting.bundle_report(str(file), message=bundle, verdict=judged)
    message = qd4750.read_message(body)
    verdict = judging.judge_reading(message, facility_code=facility, now=now, received_at=now)
    return reporting.message_report(str(file), message=message, verdict=verdict)


def _judge(file: Path, *, facility: str | None) -> dict[str, Any]:
    body = file.read_bytes()
    try:
        formats.check_outside(body)
    except AppError as error:
        return {"file": str(file), "status": "refused", "vi": error.text.vi, "en": error.text.en}
    if formats.is_fhir(body):
        found = bundle_judging.judge_bundle(fhir.read_message(body), facility_code=facility, now=utc_now())
        return {"file": str(file), **verdict_body(found)}
    return {"file": str(file), **verdict_body(judging.judge(body, facility_code=facility, now=utc_now()))}


async def _send(files: list[Path], *, address: str, facility: str, key: dict[str, str]) -> list[dict[str, Any]]:
    receipts = []
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:
        client = HospitalClient(
            base_url=address, facility_code=facility, key=key, http=http, clock=utc_now, new_id=_new_id
        )
        for file in files:
            try:
                kept = await client.send(file.read_bytes())
                receipt = await client.wait(UUID(str(kept["messageId"])), timeout_seconds=WAIT_SECONDS)
            except ConnectorError as error:
                receipt = {"status": "refused", "vi": error.vi, "en": error.en}
            receipts.append({"file": str(file), **receipt})
    return receipts


def _new_id() -> UUID:
    return new_id(now=utc_now())


def private_key(path: Path) -> dict[str, str]:
    """Read a private JWK, or end the command saying that it cannot be read."""
    try:
        key: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fail(f"Không đọc được khóa {path}; hãy cho biết --key.", f"The key {path} cannot be read; give --key.")
    return key


def _print(receipts: list[dict[str, Any]], *, as_json: bool) -> None:
    print(json.dumps(receipts, ensure_ascii=False, indent=2) if as_json else "\n\n".join(map(_lines, receipts)))
    if any(receipt["status"] not in {"filed", "received"} for receipt in receipts):
        raise typer.Exit(FAILED)


def _lines(receipt: dict[str, Any]) -> str:
    lines = [
        f"{receipt['file']}: {receipt['status']}" + (f"  ({receipt['messageId']})" if "messageId" in receipt else "")
    ]
    if "vi" in receipt:
        lines += [f"  {receipt['vi']}", f"  {receipt['en']}"]
    lines += [_problem(problem) for problem in receipt.get("problems", [])]
    for visit in receipt.get("visits", []):
        changes: dict[str, int] = {}
        for record in visit["records"]:
            what = f"{record['kind'].lower()} {record['change']}"
            changes[what] = changes.get(what, 0) + 1
        counted = ", ".join(f"{count} {what}" for what, count in changes.items())
        lines.append(f"  {visit['visit'] or '?'}: {visit['status']}" + (f" ({counted})" if counted else ""))
        lines += [_problem(problem) for problem in visit["problems"]]
    return "\n".join(lines + _not_filed(receipt.get("entries", [])))


def _not_filed(entries: list[dict[str, Any]]) -> list[str]:
    """Return which resources of a Bundle are not in the book, and why; those of one kind and reason together."""
    counts = Counter(
        (one["outcome"], one["resource"], one.get("reason"), one.get("vi"), one.get("en"))
        for one in entries
        if one["outcome"] in _NOT_FILED
    )
    lines = []
    for (outcome, resource, reason, vi, en), count in counts.items():
        lines.append(f"  {outcome}: {count} {resource}" + (f" ({reason})" if reason else ""))
        lines += [f"      {text}" for text in (vi, en) if text]
    return lines


def _problem(problem: dict[str, Any]) -> str:
    place = " ".join(str(problem[part]) for part in ("table", "line", "field") if problem.get(part) is not None)
    return f"    {problem['effect']} {problem['code']} {place}\n      {problem['vi']}\n      {problem['en']}"
