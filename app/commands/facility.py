"""`sokhoe facility`: hospitals and the keys of their systems."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands import facility_change
from app.commands.console import AsJson, day_of, fail, read_settings, run, show
from app.commands.steps import as_migrator
from app.core.clock import utc_now
from app.core.db import Session
from app.core.ids import new_request_id, new_secret
from app.facilities import registry, sql
from app.identity.jwt import KeyRefused, new_private_key, parse_key, public_part

_SUSPENDED = "  (đã tạm dừng / suspended)"

app = typer.Typer(no_args_is_help=True, help="Hospitals and the keys of their systems.")
app.command("change")(facility_change.change)
app.command("changes")(facility_change.changes)
app.command("undo-change")(facility_change.undo_change)

Code = Annotated[str, typer.Argument(help="Five-character facility code, for example 01901.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="The facility's public key (JWK); it keeps the private one.")
]
MakeKey = Annotated[
    Path | None, typer.Option("--make-key", help="Make a key pair and write the private JWK here (0600).")
]


@app.command()
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="Name of the facility.")],
    level: Annotated[str, typer.Option(help="CENTRAL, PROVINCIAL or PRIMARY.")] = "PRIMARY",
    key: KeyFile = None,
    make_key: MakeKey = None,
    as_json: AsJson = False,
) -> None:
    """Register a facility, with a key of its system."""
    if level not in {"CENTRAL", "PROVINCIAL", "PRIMARY"}:
        raise typer.BadParameter("CENTRAL, PROVINCIAL or PRIMARY", param_hint="--level")
    entry = sql.FacilityEntry(code=code, name=name, level=level)
    with _public_key(key, make_key) as jwk:

        async def step(session: Session) -> bool:
            added = await registry.register(session, entry=entry, now=utc_now())
            if jwk is not None:
                await registry.add_key(session, code=code, jwk=jwk, now=utc_now())
            return added

        added = run(as_migrator(read_settings(), step))
    said = {"code": code, "added": added, "kid": None if jwk is None else jwk["kid"]}
    show(
        said,
        as_json=as_json,
        text=f"{'Đã đăng ký' if added else 'Đã có'} / {'registered' if added else 'known'}: {code}",
    )


@app.command("rotate-key")
def rotate_key(
    code: Code,
    key: KeyFile = None,
    make_key: MakeKey = None,
    keep_old: Annotated[bool, typer.Option("--keep-old", help="Let the old keys live beside the new one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register a new key; the old ones are revoked unless --keep-old is given."""
    with _public_key(key, make_key) as jwk:
        if jwk is None:
            raise typer.BadParameter("give --key or --make-key")
        kid = jwk["kid"]

        async def step(session: Session) -> int:
            await registry.add_key(session, code=code, jwk=jwk, now=utc_now())
            return 0 if keep_old else await registry.revoke_other_keys(session, code=code, kid=kid, now=utc_now())

        revoked = run(as_migrator(read_settings(), step))
    said = {"code": code, "kid": kid, "revoked": revoked}
    show(said, as_json=as_json, text=f"{code}: khóa mới / new key {kid}; thu hồi / revoked {revoked}")


@app.command()
def images(
    code: Code,
    url: Annotated[str, typer.Option(help="Where the facility serves DICOMweb: https://host/path, without /studies.")],
    as_json: AsJson = False,
) -> None:
    """Register where a facility serves images; prints the key that its door checks our links with, once."""
    key = new_secret()
    run(
        as_migrator(read_settings(), partial(registry.register_images, code=code, base_url=url, key=key, now=utc_now()))
    )
    show({"code": code, "url": url, "key": key}, as_json=as_json, text=f"{code}: {url}\nkhóa / key: {key}")


@app.command()
def laboratory(
    code: Code,
    level: Annotated[int, typer.Option(help="Quality level, 1 to 5 (Decision 2429/QĐ-BYT).")],
    since: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    until: Annotated[str | None, typer.Option(help="The first day on which it is no longer valid.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register the quality level of a facility's laboratory."""
    first = day_of(since, option="--from")
    last = None if until is None else day_of(until, option="--until")
    register = partial(registry.register_laboratory, code=code, level=level, valid_from=first, valid_until=last)
    run(as_migrator(read_settings(), register))
    show({"code": code, "level": level}, as_json=as_json, text=f"{code}: mức / level {level}")


@app.command()
def suspend(code: Code, as_json: AsJson = False) -> None:
    """Suspend a facility: its tokens stop at the next request."""
    run(as_migrator(read_settings(), partial(registry.suspend, code=code, now=utc_now())))
    show({"code": code, "suspended": True}, as_json=as_json, text=f"{code}: đã tạm dừng / suspended")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the registered facilities."""
    found = run(as_migrator(read_settings(), sql.facilities))
    said: list[Any] = [
        {"code": one.code, "name": one.name, "level": one.level, "suspended": one.suspended_at is not None}
        for one in found
    ]
    lines = "\n".join(
        f"{one['code']}  {one['level']:<10}  {one['name']}{_SUSPENDED if one['suspended'] else ''}" for one in said
    )
    show(said, as_json=as_json, text=lines or "Chưa có cơ sở nào. / No facility yet.")


@contextmanager
def _public_key(key: Path | None, make_key: Path | None) -> Iterator[dict[str, str] | None]:
    """Give the public key of a file, or of a pair made for it; what was made is gone if it is not registered."""
    if key is not None and make_key is not None:
        raise typer.BadParameter("give --key or --make-key, not both")
    if make_key is None:
        yield None if key is None else _read_key(key)
        return
    private = new_private_key(alg="ES256", kid=new_request_id())
    try:
        make_key.touch(mode=0o600, exist_ok=False)
        make_key.write_text(json.dumps(private), encoding="ascii")
    except FileExistsError:
        fail(f"Tệp {make_key} đã có; không ghi đè khóa.", f"{make_key} exists already; a key is never overwritten.")
    except OSError:
        fail(f"Không ghi được khóa vào {make_key}.", f"The key cannot be written to {make_key}.")
    try:
        yield public_part(private)
    except BaseException:
        make_key.unlink()
        raise


def _read_key(file: Path) -> dict[str, str]:
    try:
        jwk: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        parse_key(jwk)
    except KeyRefused as error:
        fail(error.text.vi, error.text.en)
    except (OSError, ValueError):
        fail(f"Không đọc được khóa {file}.", f"The key {file} cannot be read as a JWK.")
    return jwk
