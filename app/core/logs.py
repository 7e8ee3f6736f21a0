"""Logs: one JSON object a line, of named fields; never a token, a name, a number or a text of a person."""

import json
import logging
import sys

import structlog

from app.core.clock import utc_now

MOST_CHARACTERS = 1000


def configure_logs() -> None:
    """Write our events to standard output as JSON; other libraries' warnings go the same way, without values."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _cut,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Quiet()], level=logging.WARNING, force=True)


def log_request(*, request_id: str, path: str, status: int) -> None:
    """Write the line of an answered request: what the logger would write, without what the logger costs."""
    at = utc_now().isoformat(timespec="microseconds").replace("+00:00", "Z")
    sys.stdout.write(
        f'{{"request_id": "{request_id}", "path": {_ENCODER.encode(path)}, "status": {status}, "event": "request", '
        f'"level": "info", "at": "{at}"}}\n'
    )
    sys.stdout.flush()


_ENCODER = json.JSONEncoder(ensure_ascii=True, default=repr)  # json.dumps would make one a line


def _line(event: structlog.typing.EventDict, **_options: object) -> str:
    return _ENCODER.encode(event)


def _cut(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: value[:MOST_CHARACTERS] if isinstance(value, str) else value for key, value in event.items()}


class _Quiet(logging.Handler):
    """Other libraries' records: their kind and place, for their texts may hold values."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record without its arguments."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning(
            "library", logger=record.name, place=f"{record.module}:{record.lineno}", kind=kind
        )
