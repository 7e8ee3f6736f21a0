"""What a process does after it began to answer, so that no request waits for it."""

import asyncio
import gc
from contextlib import suppress

from app.core.memory import spare_what_stays
from app.gateway.run import known_calls
from app.gateway.trusted import BadOperation, trusted_operations

PAUSE_SECONDS = 0.05
"""Between two documents: compiling one takes some milliseconds, in which nobody is answered."""


async def warm() -> None:
    """Let the collector of garbage pass over all that stays, then compile every trusted operation.

    What cannot be compiled any more (its sunset is over) is told to whoever asks for it.
    """
    spare_what_stays()
    for document_id in trusted_operations():
        await asyncio.sleep(PAUSE_SECONDS)
        with suppress(BadOperation):
            known_calls(document_id)
        gc.collect()  # each leaves ten times what is kept of it
