"""Lets a service serve: enters it, and subscribes all of its handlers behind the chain, or none of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from titan_bus import Bus, Handlers
from titan_desktop.core.chain import Chain


class Service(Protocol):
    """A collection of handlers. One that runs something beside them is an async context manager, too.

    Attributes:
        handlers: what it takes and what it tells.
        drain_s: so long its handlers may go on when it is left; then they are cancelled, and their events come
            again.
    """

    @property
    def handlers(self) -> Handlers:
        """Declared when the service is made."""

    drain_s: float


S = TypeVar("S", bound=Service)


@asynccontextmanager
async def serving(bus: Bus, chain: Chain, service: S) -> AsyncIterator[S]:
    """Enter a service and let it serve behind the chain within the block.

    What fails on the way leaves nothing behind: neither a subscription nor what the service runs by itself.

    Raises:
        BusError, ValueError: one of its subscriptions cannot be; see `Bus.include`.
    """
    async with AsyncExitStack() as stack:
        beside: object = service
        if isinstance(beside, AbstractAsyncContextManager):
            await stack.enter_async_context(beside)
        subscriptions = await bus.include(service.handlers.wrapped(chain))
        try:
            yield service
        finally:
            await asyncio.gather(*(subscription.stop(service.drain_s) for subscription in subscriptions))
