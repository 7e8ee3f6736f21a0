"""Secrets that follow from secrets."""

from app.core.crypto import Derivation
from app.identity.jwt import parse_key, private_key_from, public_part, sign

ONE, OTHER = Derivation({"k1": b"\x01" * 32}), Derivation({"k1": b"\x02" * 32})


def test_the_same_again_and_nothing_else_alike() -> None:
    made = {
        ONE.secret("a", "b"),
        ONE.secret("a", "c"),
        ONE.secret("ab", ""),
        ONE.secret("ab"),
        ONE.secret("a", "b", ""),
        OTHER.secret("a", "b"),
    }
    assert len(made) == 6
    assert ONE.secret("a", "b") == ONE.secret("a", "b")
    assert {len(secret) for secret in made} == {43}


def test_a_key_of_ours_is_the_same_after_every_start() -> None:
    key = private_key_from(b"\x07" * 32, kid="k1")

    assert key == private_key_from(b"\x07" * 32, kid="k1")
    assert parse_key(public_part(key)).alg == "ES256"
    assert sign({"a": 1}, key=key).count(".") == 2
    for edge in (bytes(32), b"\xff" * 32):
        assert parse_key(public_part(private_key_from(edge, kid="k1"))).kid == "k1"
