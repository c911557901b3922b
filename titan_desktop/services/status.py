"""Answers what a client asks about the system: how everything is.

It knows neither stores nor files: the core hands it the question as a callable.
"""

from collections.abc import Awaitable, Callable

from titan_bus import Handlers
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.system import GetStatus, Status

GROUP = "status"


class StatusService:
    """Answers `status`.

    Args:
        look: looks at everything and says how it is.
    """

    drain_s = 1.0

    def __init__(self, look: Callable[[], Awaitable[Status]]) -> None:
        self._look = look
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.get_status)

    async def get_status(self, _wanted: GetStatus) -> Status:
        """Say how everything is."""
        return await self._look()
