"""Answers requests for the system's status.

It depends neither on stores nor on files: the core passes a callable.
"""

from collections.abc import Awaitable, Callable

from titan_bus import Handlers
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.system import GetStatus, Status

GROUP = "status"


class StatusService:
    """Answers `status`.

    Args:
        look: checks everything and returns the status.
    """

    drain_s = 1.0

    def __init__(self, look: Callable[[], Awaitable[Status]]) -> None:
        self._look = look
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.get_status)

    async def get_status(self, _wanted: GetStatus) -> Status:
        """Return the status of everything."""
        return await self._look()
