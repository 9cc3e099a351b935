"""Waiting that ends when the process is told to end."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def unless_stopped(stopping: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What `work` gives, or raises; None, with `work` cancelled, when `stopping` comes first."""
    told, doing = asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(work)
    try:
        await asyncio.wait((told, doing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        doing.cancel()  # nothing, if it is done
        await asyncio.gather(told, doing, return_exceptions=True)
    return None if doing.cancelled() else doing.result()


async def pause(stopping: asyncio.Event, wait_s: float) -> None:
    """Waits for so long, or until `stopping`."""
    try:
        await asyncio.wait_for(stopping.wait(), wait_s)
    except TimeoutError:
        return
