"""Answers what a client asks about the system: how everything is.

It knows neither stores nor files: the core hands it the question as a callable.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from titan_bus import Bus, Event, RequestRefused, Subscription
from titan_desktop.contracts import topics
from titan_desktop.contracts.message import event_type
from titan_desktop.contracts.system import GetStatus, Status

GROUP = "system"


class SystemService:
    """Serves `topics.SYSTEM_REQUESTS`.

    Args:
        bus: an open bus.
        status: looks at everything and says how it is.
    """

    def __init__(self, bus: Bus, status: Callable[[], Awaitable[Status]]) -> None:
        self._bus = bus
        self._status = status
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._bus.subscribe(topics.SYSTEM_REQUESTS, GROUP, self._answer)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._subscription is not None:
            await self._subscription.stop()

    async def _answer(self, event: Event) -> Status:
        if event.event_type == event_type(GetStatus):
            return await self._status()
        raise RequestRefused("unknown_request", event.event_type)
