"""Defects are told by their kind and place: an exception's text may hold a name, so it is never logged."""

import time
from math import inf

from app.core.logs import log

MOST_PLACES = 12
AGAIN_SECONDS = 60

_told: dict[tuple[str, str], float] = {}


def report_rarely(error: Exception, *, request_id: str) -> None:
    """Log what is tried again every second: a kind of it once a minute, so that a long outage fills no disk."""
    known = (type(error).__name__, request_id)
    if time.monotonic() - _told.get(known, -inf) >= AGAIN_SECONDS:
        _told[known] = time.monotonic()
        report_defect(error, request_id=request_id)


def report_defect(error: Exception, *, request_id: str) -> None:
    """Log a defect."""
    places = []
    traceback = error.__traceback__
    while traceback is not None:
        places.append(f"{traceback.tb_frame.f_code.co_filename.rsplit('/app/')[-1]}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None)
    log.error(
        "defect", kind=type(error).__name__, sqlstate=sqlstate, places=places[-MOST_PLACES:], request_id=request_id
    )
