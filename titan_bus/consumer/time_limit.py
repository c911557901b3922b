"""The time limit of a handler (`timeout_s`): a handler that takes longer is cancelled, which is a failure."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from titan_bus.errors import HandlerTimedOutError

T = TypeVar("T")


def limited(handler: Callable[[T], Awaitable[object]], timeout_s: float) -> Callable[[T], Awaitable[object]]:
    """Return a handler that raises HandlerTimedOutError when it has not returned after `timeout_s`."""

    async def call(given: T) -> object:
        scope = asyncio.timeout(timeout_s)
        try:
            async with scope:
                return await handler(given)
        except TimeoutError as error:
            if not scope.expired():  # the handler's own
                raise
            raise HandlerTimedOutError(timeout_s) from error

    return call
