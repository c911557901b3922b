"""A question to several servers at once, and all who wait for its answer; `sentinel` and `cluster` ask so."""

import asyncio
from typing import TypeVar

from titan_bus.errors import BusUnavailableError

T = TypeVar("T")


async def answer_of(inquiry: asyncio.Task[T], address: str) -> T:
    """Wait for what others wait for, too: who is cancelled here does not end it.

    Raises:
        BusUnavailableError: the bus at `address` was closed meanwhile, which ends it.
    """
    try:
        return await asyncio.shield(inquiry)
    except asyncio.CancelledError:
        waiter = asyncio.current_task()
        if waiter is None or waiter.cancelling() or not inquiry.cancelled():
            raise
        # Nobody cancelled the waiter, so its own task must not end as if somebody had.
        raise BusUnavailableError(address, "closed") from None
