"""`sokhoe demo`: load the demo's messages through the real door, and tokens for its people."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import typer
from sqlalchemy import text

from app.commands import demo_factor, demo_identity, demo_phone
from app.commands.console import FAILED, AsJson, as_migrator, data_folder, fail, read_settings, run, show
from app.connector import HospitalClient
from app.core.clock import utc_now
from app.core.crypto import open_vault
from app.core.db import Session
from app.core.ids import new_id, new_secret
from app.core.settings import Settings
from app.demo import booking, people
from app.demo import load as loading
from app.demo import welcome as greeting
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.identity import families, practitioners
from app.identity.jwt import new_private_key, public_part

app = typer.Typer(no_args_is_help=True, help="Demo mode only: demo data and tokens.")
app.command()(demo_identity.provider)
app.command("sign-in")(demo_identity.sign_in)
app.command()(demo_factor.totp)

DEFAULT_CITIZENS = 50
TOKEN_LIFE = timedelta(hours=12)
PROOFED_LEVEL = 2
VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
SENDING = "/v1/projects/"
_PRINCIPALS = {"citizen": "citizen_id", "doctor": "practitioner_id", "facility": "facility_code"}

Url = Annotated[str | None, typer.Option(help="Address of the server; SOKHOE_PUBLIC_URL when left out.")]


def _settings() -> Settings:
    settings = read_settings()
    if not settings.demo:
        fail("Lệnh này chỉ chạy ở chế độ demo (SOKHOE_DEMO=true).", "Demo mode only (SOKHOE_DEMO=true).")
    return settings


@app.command()
def load(
    citizens: Annotated[
        int | None, typer.Option(min=4, max=20_000, help="How many citizens; what is there, or 50.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Register the demo's facilities and send a year of their messages through /ingest, as hospitals would."""
    settings = _settings()
    keys = {facility.code: _key(facility.code) for facility in people.FACILITIES}
    run(as_migrator(settings, partial(_register, settings=settings, keys=keys)))
    marker = data_folder() / "demo-loaded.json"
    there = json.loads(marker.read_text(encoding="ascii"))["citizens"] if marker.exists() else 0
    wanted = citizens or there or DEFAULT_CITIZENS
    if there >= wanted:
        run(as_migrator(settings, partial(_represent, settings=settings)))
        _appoint(settings, keys, url=url or settings.public_url)
        show({"loaded": False}, as_json=as_json, text="Dữ liệu demo đã có. / The demo data is there.")
        return
    report = run(_load(keys, citizens=wanted, url=url or settings.public_url))
    run(as_migrator(settings, partial(_represent, settings=settings)))
    _appoint(settings, keys, url=url or settings.public_url)
    marker.write_text(json.dumps({"citizens": wanted}), encoding="ascii")
    show(report, as_json=as_json, text=f"Đã ghi / filed: {report['filed']} / {report['messages']}")


def _appoint(settings: Settings, keys: dict[str, dict[str, str]], *, url: str) -> None:
    """Let the first facility offer times, and the first two citizens book there."""
    tokens = [new_secret() for _ in booking.BOOKERS]
    for number, secret in zip(booking.BOOKERS, tokens, strict=True):
        step = partial(_open, settings=settings, kind="citizen", number=number, secret=secret, stepped_up=False)
        run(as_migrator(settings, step))

    async def go() -> None:
        code = people.FACILITIES[0].code
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            hospital = HospitalClient(
                base_url=url, facility_code=code, key=keys[code], http=http, clock=utc_now, new_id=_new_id
            )
            today = utc_now().astimezone(VIET_NAM).date()
            await booking.offer(hospital, today=today)
            for secret in tokens:
                await booking.book_once(http, token=secret, facility_code=code, today=today)

    run(go())


async def _load(keys: dict[str, dict[str, str]], *, citizens: int, url: str) -> dict[str, int]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        clients = {
            code: HospitalClient(base_url=url, facility_code=code, key=key, http=http, clock=utc_now, new_id=_new_id)
            for code, key in keys.items()
        }
        report = await loading.load(
            lambda code: clients[code],
            citizens=citizens,
            today=utc_now().astimezone(VIET_NAM).date(),
            progress=_progress(),
        )
    return {"messages": report.messages, "filed": report.filed}


async def _register(session: Session, *, settings: Settings, keys: dict[str, dict[str, str]]) -> None:
    for facility in people.FACILITIES:
        entry = FacilityEntry(code=facility.code, name=facility.name, level=facility.level)
        await registry.register(session, entry=entry, now=utc_now())
        await registry.add_key(session, code=facility.code, jwk=public_part(keys[facility.code]), now=utc_now())
    vault = open_vault(settings.secrets_dir)
    await practitioners.store(session, entries=people.register(), vault=vault, now=utc_now(), new_id=_new_id)


async def _represent(session: Session, *, settings: Settings) -> None:
    """Let every child of the demo be represented by its parent, and citizen:1 have a second factor."""
    vault = open_vault(settings.secrets_dir)
    await demo_factor.give_factor(session, vault=vault)
    await session.execute(text("RESET ROLE"))
    for child, parent in people.families():
        papers = families.SeenPapers(
            id=_new_id(),
            dependant=child.personal_id,
            representative=parent.personal_id,
            kind=families.RepresentationKind.PARENT,
            valid_from=child.birth_on,
        )
        await families.register(session, papers=papers, vault=vault)


def _key(code: str) -> dict[str, str]:
    folder = data_folder() / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{code}.jwk"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(new_private_key(alg="ES256", kid=f"demo-{code}")), encoding="ascii")
    key: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
    return key


def _new_id() -> UUID:
    return new_id(now=utc_now())


def _progress() -> Callable[[int, int], None]:
    def show_progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r  {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
        elif done == total or done % 100 == 0:
            print(f"  {done}/{total}", file=sys.stderr, flush=True)

    return show_progress


@app.command()
def token(
    who: Annotated[str, typer.Option("--as", help="citizen:1, citizen:2 … doctor:1 … or facility:1 …")],
    no_step_up: Annotated[bool, typer.Option("--no-step-up", help="As if no second factor was given lately.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a bearer token of a demo person or facility, good for 12 hours; a person's counts as freshly stepped up."""
    settings = _settings()
    kind, _, number = who.partition(":")
    if kind not in _PRINCIPALS or not (number.isascii() and number.isdigit()) or int(number) < 1:
        raise typer.BadParameter("citizen:N, doctor:N or facility:N", param_hint="--as")
    secret = new_secret()
    step = partial(_open, settings=settings, kind=kind, number=int(number), secret=secret, stepped_up=not no_step_up)
    found = run(as_migrator(settings, step))
    if not found:
        fail(f"Không có {who} trong demo.", f"There is no {who} in the demo.")
    show({"token": secret}, as_json=as_json, text=secret)


async def _open(session: Session, *, settings: Settings, kind: str, number: int, secret: str, stepped_up: bool) -> bool:
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    principal = await _principal(session, settings=settings, kind=kind, number=number)
    if principal is None:
        return False
    now = utc_now()
    insert = text(
        f"INSERT INTO auth.session (id, token_hash, {_PRINCIPALS[kind]}, level, created_at, expires_at) "  # noqa: S608 - one of three names above
        "VALUES (:id, sha256(convert_to(:secret, 'UTF8')), :principal, :level, :now, :until)"
    )
    values = {
        "id": new_id(now=now),
        "secret": secret,
        "principal": principal,
        "level": PROOFED_LEVEL if kind != "facility" else None,
        "now": now,
        "until": now + TOKEN_LIFE,
    }
    await session.execute(insert, values)
    if stepped_up and kind != "facility":
        for_everything = text("INSERT INTO auth.step_up (session_id, action, until) VALUES (:id, '*', :until)")
        await session.execute(for_everything, {"id": values["id"], "until": values["until"]})
    return True


async def _principal(session: Session, *, settings: Settings, kind: str, number: int) -> object:
    if kind == "facility":
        return people.FACILITIES[number - 1].code if number <= len(people.FACILITIES) else None
    if kind == "doctor":
        doctors = people.practitioners()
        certificate = doctors[number - 1].certificate if number <= len(doctors) else ""
        known = text("SELECT id FROM auth.practitioner WHERE certificate = :certificate")
        return await session.scalar(known, {"certificate": certificate})
    lookup = open_vault(settings.secrets_dir).index.of(people.citizen(number).personal_id or "", kind="PERSONAL_ID")
    query = text(
        "SELECT citizen_id FROM auth.identifier WHERE kind = 'PERSONAL_ID' AND lookup = :lookup AND valid_until IS NULL"
    )
    return await session.scalar(query, {"lookup": lookup})


@app.command()
def phone(
    who: Annotated[str, typer.Option("--as", help="Whose phone: citizen:1, citizen:2 …")] = "citizen:1",
    book: Annotated[bool, typer.Option("--book", help="Book the next free time first, so that there is news.")] = False,
    awake: Annotated[bool, typer.Option("--awake", help="Wish no quiet hours: pushes wait at night.")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="End after so long; exit code 1 when nothing came.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Register a made-up phone of a citizen, and print every push as it arrives there, until Ctrl-C."""
    settings = _settings()
    number = who.removeprefix("citizen:")
    if not (who.startswith("citizen:") and number.isascii() and number.isdigit()) or int(number) < 1:
        raise typer.BadParameter("citizen:N", param_hint="--as")
    if settings.push_url is None or SENDING not in settings.push_url:
        fail("Không có dịch vụ đẩy giả lập (SOKHOE_PUSH_URL).", "There is no stand-in push service (SOKHOE_PUSH_URL).")
    secret = new_secret()
    step = partial(_open, settings=settings, kind="citizen", number=int(number), secret=secret, stepped_up=False)
    if not run(as_migrator(settings, step)):
        fail(f"Không có {who} trong demo.", f"There is no {who} in the demo.")
    told = demo_phone.Told(as_json=as_json, seconds=seconds, book=book, awake=awake)
    handset = {"name": f"demo-phone-{who.replace(':', '-')}", "push_url": settings.push_url.partition(SENDING)[0]}
    if not run(demo_phone.follow(told, url=url or settings.public_url, token=secret, **handset)):
        raise typer.Exit(FAILED)


@app.command()
def welcome(url: Url = None, as_json: AsJson = False) -> None:
    """Print addresses, demo people and a first query to paste."""
    settings = _settings()
    provider = settings.provider
    address, issuer = url or settings.public_url, None if provider is None else provider.issuer
    said = {"server": address, "identityProvider": issuer}
    show(said, as_json=as_json, text=greeting.welcome(url=address, provider_url=issuer))
