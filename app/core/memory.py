"""What a process does about memory: large blocks go back at once, and what stays is not looked through for garbage."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final, cast

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
LARGE_BYTES: Final = 524_288


def return_large_blocks() -> None:
    """Keep the C library from raising the size above which a block is mapped by itself, and unmapped when it is freed.

    By itself it raises it to the size of the first large block that was freed, and keeps the later ones: a process
    that has seen a message of ten megabytes would stay that much larger. Threads share one heap: few run at a time
    here, and each would keep what it once had. Without effect where there is no glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_ARENA_MAX, 1)


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Import without looking for garbage meanwhile: there is none, and looking takes a fifth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leave_out(*modules: str) -> None:
    """Let the import of a module fail, whose importer does without it where it is not installed."""
    sys.modules.update(dict.fromkeys(modules, cast("ModuleType", None)))


def spare_what_stays() -> None:
    """Let the collector of garbage pass over all that is there now, once a process.

    Looking through it took a tenth of a second, in which nobody was answered, and a message that was read meanwhile
    counted as slow.
    """
    if gc.get_freeze_count() == 0:
        gc.collect()
        gc.freeze()
