"""`sokhoe demo`: load the demo's messages through the real door, and tokens for its people."""

from typing import Annotated

import typer

from app.commands import demo_identity
from app.commands.console import FAILED, AsJson, fail, read_settings, run, show
from app.core.memory import nothing_collected
from app.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Demo mode only: demo data and tokens.")
app.command()(demo_identity.provider)
app.command("sign-in")(demo_identity.sign_in)

SENDING = "/v1/projects/"

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
    with nothing_collected():
        from app.commands import demo_load

    settings = _settings()
    report = demo_load.fill(settings, citizens=citizens, url=url or settings.public_url)
    if report is None:
        show({"loaded": False}, as_json=as_json, text="Dữ liệu demo đã có. / The demo data is there.")
    else:
        show(report, as_json=as_json, text=f"Đã ghi / filed: {report['filed']} / {report['messages']}")


@app.command()
def token(
    who: Annotated[str, typer.Option("--as", help="citizen:1, citizen:2 … doctor:1 … or facility:1 …")],
    no_step_up: Annotated[bool, typer.Option("--no-step-up", help="As if no second factor was given lately.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a bearer token of a demo person or facility, good for 12 hours; a person's counts as freshly stepped up."""
    from app.commands import demo_tokens

    settings = _settings()
    kind, _, number = who.partition(":")
    if kind not in demo_tokens.PRINCIPALS or not (number.isascii() and number.isdigit()) or int(number) < 1:
        raise typer.BadParameter("citizen:N, doctor:N or facility:N", param_hint="--as")
    secret = demo_tokens.new_token(settings, kind=kind, number=int(number), stepped_up=not no_step_up)
    if secret is None:
        fail(f"Không có {who} trong demo.", f"There is no {who} in the demo.")
    show({"token": secret}, as_json=as_json, text=secret)


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
    from app.commands import demo_phone, demo_tokens

    settings = _settings()
    number = who.removeprefix("citizen:")
    if not (who.startswith("citizen:") and number.isascii() and number.isdigit()) or int(number) < 1:
        raise typer.BadParameter("citizen:N", param_hint="--as")
    if settings.push_url is None or SENDING not in settings.push_url:
        fail("Không có dịch vụ đẩy giả lập (SOKHOE_PUSH_URL).", "There is no stand-in push service (SOKHOE_PUSH_URL).")
    secret = demo_tokens.new_token(settings, kind="citizen", number=int(number), stepped_up=False)
    if secret is None:
        fail(f"Không có {who} trong demo.", f"There is no {who} in the demo.")
    told = demo_phone.Told(as_json=as_json, seconds=seconds, book=book, awake=awake)
    handset = {"name": f"demo-phone-{who.replace(':', '-')}", "push_url": settings.push_url.partition(SENDING)[0]}
    if not run(demo_phone.follow(told, url=url or settings.public_url, token=secret, **handset)):
        raise typer.Exit(FAILED)


@app.command()
def welcome(url: Url = None, as_json: AsJson = False) -> None:
    """Print addresses, demo people and a first query to paste."""
    from app.demo import welcome as greeting

    settings = _settings()
    provider = settings.provider
    address, issuer = url or settings.public_url, None if provider is None else provider.issuer
    said = {"server": address, "identityProvider": issuer}
    show(said, as_json=as_json, text=greeting.welcome(url=address, provider_url=issuer))


@app.command()
def totp(as_json: AsJson = False) -> None:
    """Print the one-time code that citizen:1's authenticator shows now."""
    from app.core.clock import utc_now
    from app.demo.people import FACTOR_SECRET
    from app.identity.totp import STEP_SECONDS, code_at

    seconds = utc_now().timestamp()
    code, left = code_at(FACTOR_SECRET, seconds=seconds), STEP_SECONDS - int(seconds % STEP_SECONDS)
    show({"code": code, "seconds": left}, as_json=as_json, text=code)
