"""Looks for events that wait to be told and notices that are due on a phone; does many of them in one transaction."""

import asyncio
from collections.abc import Sequence
from functools import partial

from app.core.context import run_step
from app.core.crypto import Vault
from app.core.db import Engine
from app.core.defects import report_defect
from app.core.errors import Unavailable
from app.notifications import pushing, sql, telling
from app.notifications.fcm import Pusher
from app.notifications.sql import Reached

MOST_TOLD = 128
MOST_PUSHED = 64
LOOK_SECONDS = 0.2


async def deliver(engine: Engine, *, vault: Vault, pusher: Pusher, at_a_time: int, stopped: asyncio.Event) -> None:
    """Work until it is stopped; what is in hand is finished. Without a push service notices stand in the app alone."""
    sending: set[asyncio.Task[None]] = set()
    while not stopped.is_set():
        found = await _tell(engine) > 0
        if pusher.is_ready and len(sending) < at_a_time and (reached := await _take(engine)):
            found = True
            sending.add(asyncio.create_task(_send(reached, engine=engine, vault=vault, pusher=pusher)))
        if not found:
            await _pause(sending)
        sending = {one for one in sending if not one.done()}
    await asyncio.gather(*sending)


async def _pause(sending: set[asyncio.Task[None]]) -> None:
    """Wait a little, or until a batch is sent."""
    if sending:
        await asyncio.wait(sending, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    else:
        await asyncio.sleep(LOOK_SECONDS)


async def _tell(engine: Engine) -> int:
    """Tell together, or have the queue tell each alone: what cannot be told must not stop the others."""
    try:
        try:
            return await run_step(engine, partial(telling.tell_waiting, most=MOST_TOLD))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whichever of them it is, the queue finds out
            report_defect(error, request_id="tell")
            return await run_step(engine, partial(sql.tell_apart, most=MOST_TOLD))
    except Exception as error:  # noqa: BLE001 - the next look is as good as this one
        report_defect(error, request_id="tell")
        return 0


async def _take(engine: Engine) -> Sequence[Reached]:
    try:
        return await pushing.take(engine=engine, most=MOST_PUSHED)
    except Exception as error:  # noqa: BLE001 - the next look is as good as this one
        report_defect(error, request_id="push")
        return ()


async def _send(reached: Sequence[Reached], *, engine: Engine, vault: Vault, pusher: Pusher) -> None:
    try:
        await pushing.send(reached, engine=engine, vault=vault, pusher=pusher)
    except Exception as error:  # noqa: BLE001 - they are taken again when their hold is over
        report_defect(error, request_id="push")
