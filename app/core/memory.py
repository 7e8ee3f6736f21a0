"""Give large blocks back to the system as soon as they are freed."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
LARGE_BYTES: Final = 524_288


def return_large_blocks() -> None:
    """Keep the C library from raising the size above which a block is mapped by itself, and unmapped when it is freed.

    By itself it raises it to the size of the first large block that was freed, and keeps the later ones: a process
    that has seen a message of ten megabytes would stay that much larger. Without effect where there is no glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
