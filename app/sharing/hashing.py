"""Proof of a code and its PIN: Argon2id, at most two at once, so that guessing starves nobody of the processor.

Source: OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane); ASVS 6.5.2.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import Type

AT_ONCE: Final = 2
_HASHER: Final = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)
_HANDS: Final = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="argon2")
NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""What is proved where there is no code: it fits nothing, and costs as much."""


def _proved(text: str) -> str:
    return f"sokhoe-share|{text}"


async def hashed(text: str) -> str:
    """Return what proves a code with its PIN."""
    return await asyncio.get_running_loop().run_in_executor(_HANDS, _HASHER.hash, _proved(text))


async def is_proved(text: str, *, by: str | None) -> bool:
    """Tell whether a code with its PIN is the one that was hashed; without a hash it costs as much and is not."""
    return (
        await asyncio.get_running_loop().run_in_executor(_HANDS, _verify, by or NOBODYS, _proved(text))
        and by is not None
    )


def _verify(verifier: str, text: str) -> bool:
    try:
        return _HASHER.verify(verifier, text)
    except VerificationError:
        return False
