"""`sokhoe demo provider` and `sokhoe demo sign-in`: the local identity provider, and an app that signs in by it."""

import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.commands.console import AsJson, FailsAsJson, fail, read_settings, show
from app.core.clock import utc_now
from app.core.memory import nothing_collected

HOST = "127.0.0.1"
MOST_SECONDS = 600


def provider(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8001,
    server: Annotated[str, typer.Option(help="Address of the Sổ Khỏe server that signs people in.")] = (
        "http://127.0.0.1:8000"
    ),
    preset: Annotated[Literal["vneid", "vnconnect"], typer.Option(help="Whose claims it speaks.")] = "vneid",
    algorithm: Annotated[Literal["RS256", "ES256"], typer.Option(help="How it signs.")] = "RS256",
    fault: Annotated[list[str] | None, typer.Option(help="A misbehaviour, by its name; may be repeated.")] = None,
    push_account: Annotated[
        Path | None,
        typer.Option(help="Stand in for the push service too, under /push; the key for the worker goes to this file."),
    ] = None,
    as_json: FailsAsJson = False,  # noqa: ARG001 - read by `fail`
) -> None:
    """Serve the outside world: a page of made-up people with OpenID Connect behind it, and a push service."""
    with nothing_collected():
        import uvicorn

        from app.demo import push_service
        from app.demo.provider.app import build_provider
        from app.demo.provider.desk import Desk, Registration
        from app.demo.provider.faults import Fault

    try:
        faults = {Fault(name) for name in fault or ()}
    except ValueError as error:
        raise typer.BadParameter(", ".join(known.value for known in Fault), param_hint="--fault") from error
    desk = Desk(
        issuer=f"http://{HOST}:{port}",
        registration=Registration.of_server(server.rstrip("/")),
        clock=utc_now,
        preset=preset,
        algorithm=algorithm,
        faults=faults,
    )
    push = None
    if push_account is not None:
        phones = push_service.PushService()
        push = push_service.build_push_service(phones)
        push_service.write_account(phones, file=push_account, url=f"{desk.issuer}/push")
    uvicorn.run(
        build_provider(desk, push=push),
        host=HOST,
        port=port,
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
    )


def sign_in(
    who: Annotated[
        str | None, typer.Option("--as", help="Choose this account without a browser: citizen:1, newcomer …")
    ] = None,
    as_practitioner: Annotated[
        bool, typer.Option("--as-practitioner", help="Act as a practitioner; a doctor of the demo does anyway.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Address of the server; SOKHOE_PUBLIC_URL when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sign in as an app on a phone would: a browser, a loopback redirect, PKCE. Prints the tokens."""
    import httpx

    from app.demo.phone import AS_CITIZEN, AS_PRACTITIONER, GREETING, Phone, SignInFailed, browse, wait_for_browser

    listener = HTTPServer((HOST, 0), BaseHTTPRequestHandler)
    server = (url or read_settings().public_url).rstrip("/")
    at_work = as_practitioner or (who or "").startswith("doctor:")
    scope = AS_PRACTITIONER if at_work else AS_CITIZEN
    phone = Phone(server=server, redirect_uri=f"http://{HOST}:{listener.server_port}/signed-in", scope=scope)
    try:
        with httpx.Client(timeout=10, trust_env=False) as http:
            if who is None:
                print(f"Mở trong trình duyệt / Open in a browser:\n\n  {phone.url}\n", file=sys.stderr)
                back = wait_for_browser(listener, seconds=MOST_SECONDS, clock=time.monotonic)
            else:
                back = browse(phone.url, account=who, http=http)
            tokens = phone.tokens(http, came_back_to=back)
            said = phone.ask(http, GREETING, access_token=str(tokens["access_token"]))
    except SignInFailed as failed:
        fail(f"Đăng nhập không thành công: {failed}", f"Not signed in: {failed}")
    except httpx.HTTPError as error:
        fail(f"Không kết nối được: {type(error).__name__}", f"No connection: {type(error).__name__}")
    finally:
        listener.server_close()
    name = said["data"]["me"]["fullName"]
    lines = [
        f"Xin chào, {name}. / Hello, {name}.",
        *(f"  {key:<15}{value}" for key, value in tokens.items()),
    ]
    show({**tokens, "name": name}, as_json=as_json, text="\n".join(lines))
