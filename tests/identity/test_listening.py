"""A phone listens with a token that is bound to its key (RFC 9449, graphql-transport-ws)."""

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.core.ids import new_secret
from app.demo.phone import Phone
from app.gateway import sockets
from tests.identity.signing_in import PHONES, Scene
from tests.listening import PROTOCOL, hear, say
from tests.sockets import PATIENCE


def listening(scene: Scene) -> ClientConnection:
    return connect(
        scene.url.replace("http", "ws") + "/graphql",
        subprotocols=[PROTOCOL],
        open_timeout=PATIENCE,
        close_timeout=2,
    )


def begin(one: ClientConnection, token: str, proof: str) -> None:
    say(one, "connection_init", payload={"Authorization": f"DPoP {token}", "DPoP": proof})


def refusal(scene: Scene, token: str, proof: str) -> tuple[int, str]:
    """Return the code and the reason that a connection is closed with."""
    with listening(scene) as one:
        begin(one, token, proof)
        with pytest.raises(ConnectionClosed) as found:
            one.recv(timeout=PATIENCE)
    assert found.value.rcvd is not None
    return found.value.rcvd.code, found.value.rcvd.reason


def proof_of(phone: Phone, scene: Scene, token: str, *, nonce: str | None = None) -> str:
    """Return a proof for the connection's own request: a GET."""
    return phone.proof(f"{scene.url}/graphql", method="GET", nonce=nonce, access_token=token)


def test_the_nonce_is_told_where_no_header_can_tell_it(scene: Scene) -> None:
    token = scene.sign_in()["access_token"]
    phone = PHONES[token]

    code, reason = refusal(scene, token, proof_of(phone, scene, token))
    wish, _, nonce = reason.partition(" ")

    assert (code, wish) == (sockets.NOBODY, "use_dpop_nonce")
    good = proof_of(phone, scene, token, nonce=nonce)
    with listening(scene) as one:
        begin(one, token, good)
        assert hear(one) == {"type": "connection_ack"}
    for other in (good, proof_of(scene.phone(), scene, token, nonce=nonce), "x", ""):
        assert refusal(scene, token, other) == (sockets.NOBODY, "Unauthorized")
    stranger = proof_of(phone, scene, new_secret(), nonce=nonce)
    assert refusal(scene, token, stranger) == (sockets.NOBODY, "Unauthorized")
