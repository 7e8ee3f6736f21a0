"""Work that comes one by one and is cheaper done together: whatever waits while one batch is done is the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Gathered(Generic[Item]):
    """Does items in batches. When a batch fails, each of its items is done alone: one must not stop the others."""

    def __init__(self, do: Callable[[Sequence[Item]], Awaitable[object]], *, most: int, at_a_time: int) -> None:
        self._do = do
        self._most = most
        self._hands = asyncio.Semaphore(at_a_time)
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []

    async def add(self, item: Item) -> None:
        """Have an item done, with others or alone; returns when it is.

        :raises Exception: what doing it alone raised
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        async with self._hands:
            if not done.done():
                await self._batch()
        await done

    async def _batch(self) -> None:
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        if not batch:
            return
        try:
            await self._do([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is told to whom it concerns
            await self._alone(batch, error)
        else:
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
        finally:
            for _, done in batch:
                done.cancel()  # only what was cut short: it waits for nothing any more

    async def _alone(self, batch: Sequence[tuple[Item, "asyncio.Future[None]"]], error: Exception) -> None:
        for item, done in batch:
            failed: Exception | None = error
            if len(batch) > 1:
                try:
                    await self._do([item])
                except Exception as own:  # noqa: BLE001 - it is told to whom it concerns
                    failed = own
                else:
                    failed = None
            if done.done():
                continue
            if failed is None:
                done.set_result(None)
            else:
                done.set_exception(failed)
