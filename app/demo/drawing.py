"""The only source of chance in the demo: seeded, so that the same arguments draw the same on any machine."""

from random import Random  # noqa: TID251 — seeded by the caller; nothing that is drawn is a secret

Draws = Random


def draw(seed: int, number: int, purpose: str) -> Draws:
    """Return the source of every draw for one citizen and purpose."""
    return Draws(f"{seed}/{number}/{purpose}")
