"""Signed heads of the tree. Source: C2SP tlog-checkpoint, signed-note (Ed25519, type 0x01)."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
ID_BYTES = 4


class BadCheckpoint(Exception):
    """A note that is no checkpoint of this log, or that its key did not sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


class Signer:
    """A sealer's private key; it stands in the sealer's process alone."""

    def __init__(self, *, name: str, seed: bytes) -> None:
        self._name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def verifier(self) -> str:
        """Return the public key as `name+key id+key`, which is what a citizen's app pins."""
        public = self._key.public_key().public_bytes_raw()
        return f"{self._name}+{_key_id(self._name, public).hex()}+{_base64(ED25519 + public)}"

    def sign(self, *, size: int, root: bytes) -> str:
        """Return the signed note of a head; its origin is the key's name."""
        text = Checkpoint(origin=self._name, size=size, root=root).text()
        public = self._key.public_key().public_bytes_raw()
        signature = _base64(_key_id(self._name, public) + self._key.sign(text.encode()))
        return f"{text}\n— {self._name} {signature}\n"


def public_part(verifier: str) -> str:
    """Return the key of a verifier, without the name under which it signs."""
    return verifier.split("+", 2)[2]


def read(note: str, *, verifiers: tuple[str, ...]) -> Checkpoint:
    """Return what a note says, if one of the keys signed it.

    :raises BadCheckpoint: when it says nothing of the kind, or nobody known signed it
    """
    text, blank, signatures = note.partition("\n\n")
    lines = text.split("\n")
    try:
        origin, size, root = lines
        checkpoint = Checkpoint(origin=origin, size=int(size), root=base64.b64decode(root, validate=True))
    except ValueError as error:
        raise BadCheckpoint("no checkpoint") from error
    if not blank or checkpoint.text() != text + "\n":
        raise BadCheckpoint("no checkpoint")
    if not any(_signed_by(text + "\n", signatures, verifier) for verifier in verifiers):
        raise BadCheckpoint("signed by no known key")
    return checkpoint


def _signed_by(text: str, signatures: str, verifier: str) -> bool:
    name, _, rest = verifier.partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        public = base64.b64decode(encoded, validate=True)
        known = Ed25519PublicKey.from_public_bytes(public.removeprefix(ED25519))
    except (ValueError, binascii.Error) as error:
        raise BadCheckpoint("not a public key of a log") from error
    if _key_id(name, public.removeprefix(ED25519)).hex() != key_id:
        raise BadCheckpoint("not a public key of a log")
    for line in signatures.splitlines():
        if not line.startswith(f"— {name} "):
            continue
        try:
            raw = base64.b64decode(line.rpartition(" ")[2], validate=True)
            known.verify(raw[ID_BYTES:], text.encode())
        except (binascii.Error, InvalidSignature):
            continue
        return raw[:ID_BYTES].hex() == key_id
    return False


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:ID_BYTES]


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
