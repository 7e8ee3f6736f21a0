"""Trusted operations are compiled before anybody asks, and what stays is no work for the collector."""

import asyncio
import gc

import pytest

from app.gateway import plans, run, warming
from app.gateway.trusted import trusted_operations


def test_every_trusted_operation_is_compiled_once_the_process_is_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "PAUSE_SECONDS", 0)
    plans.trusted.cache_clear()
    run._call.cache_clear()

    asyncio.run(warming.warm())

    served = [known for known in trusted_operations().values() if not known.is_subscription]
    assert plans.trusted.cache_info().misses == len(trusted_operations())
    before = run._call.cache_info().misses
    assert all(run.known_calls(known.id) for known in served if plans.compile_trusted(known).deployed_parts)
    assert run._call.cache_info().misses == before
    assert gc.get_freeze_count() > 0
