"""A task that asks several servers and that several callers await; used by `sentinel` and `cluster`."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from titan_bus.errors import AccessRefusedError, BusError, BusUnavailableError

T = TypeVar("T")


async def answer_of(inquiry: asyncio.Task[T], address: str) -> T:
    """Await a shared task. Cancelling one caller does not cancel the task.

    Raises:
        BusUnavailableError: the bus at `address` was closed meanwhile, which cancels the task.
    """
    try:
        return await asyncio.shield(inquiry)
    except asyncio.CancelledError:
        waiter = asyncio.current_task()
        if waiter is None or waiter.cancelling() or not inquiry.cancelled():
            raise
        # The caller was not cancelled, so its own task must not end as cancelled.
        raise BusUnavailableError(address, "closed") from None


def trouble_of(address: str, troubles: Sequence[BusError], otherwise: str) -> BusUnavailableError:
    """Return one error for what several servers said; a refusal among them is what somebody has to mend."""
    said = "; ".join(map(str, troubles)) or otherwise
    for trouble in troubles:
        if isinstance(trouble, AccessRefusedError):
            return AccessRefusedError(address, trouble.code, said, cure="")
    return BusUnavailableError(address, said)
