"""Runs a service: enters it, and subscribes all of its handlers behind the chain, or none of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from titan_bus import Bus, Handlers
from titan_desktop.core.chain import Chain


class Service(Protocol):
    """A collection of handlers. A service with background tasks is an async context manager, too.

    Attributes:
        handlers: its handlers and declared publishes.
        drain_s: how long its handlers may run when it is closed; then they are cancelled, and their events are
            delivered again.
    """

    @property
    def handlers(self) -> Handlers:
        """The handlers, declared when the service is created."""

    drain_s: float


S = TypeVar("S", bound=Service)


@asynccontextmanager
async def serving(bus: Bus, chain: Chain, service: S) -> AsyncIterator[S]:
    """Enter a service and subscribe its handlers within the block.

    A failure leaves neither a subscription nor a background task.

    Raises:
        BusError, ValueError: a subscription failed; see `Bus.include`.
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
