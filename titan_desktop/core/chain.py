"""What stands between the bus and every handler of the core: access, permission, trace and log, in this order.

Each service's handlers are wrapped in one `Chain`. Whoever says no names a code; then no handler hears of the
event. A refused request is answered with that code. A refused command or event becomes a dead letter: what a
person typed is not lost, they see that it was not done, and "Try again" goes through the chain once more.
"""

import logging
import time
from collections.abc import Awaitable, Callable

from titan_bus import Event, FatalError, RequestRefused
from titan_desktop.system import logs

log = logging.getLogger(__name__)

Call = Callable[[Event], Awaitable[object]]
Decision = Callable[[Event], str]
"""Returns "" for yes, and the code of the reason for no."""


class NotAllowedError(FatalError):
    """A command or an event was refused.

    Attributes:
        code: why.
    """

    def __init__(self, event: Event, code: str) -> None:
        super().__init__(f"{event.event_type} from {event.meta.source} is refused: {code}")
        self.code = code


def everybody(_event: Event) -> str:
    """Let every client in: nothing is locked yet, and the bus belongs to one person."""
    return ""


def everything(_event: Event) -> str:
    """Permit everything: nothing acts yet."""
    return ""


class Chain:
    """The middleware around the handlers of the core.

    Args:
        access: is the core locked, and may this client speak to it at all?
        permission: may it ask for this?
    """

    def __init__(self, access: Decision = everybody, permission: Decision = everything) -> None:
        self._access = access
        self._permission = permission

    async def __call__(self, event: Event, call: Call) -> object:
        """Hand the event to its handler, and the answer back."""
        code = self._access(event) or self._permission(event)
        if code:
            log.warning("%s from %s is refused: %s", event.event_type, event.meta.source, code)
            if event.meta.reply_to is not None:
                raise RequestRefused(code, event.event_type)
            raise NotAllowedError(event, code)
        before = logs.trace.set(event.meta.trace_id)
        began_s = time.monotonic()
        try:
            return await call(event)
        finally:
            took_ms = (time.monotonic() - began_s) * 1e3
            log.debug("%s %s from %s: %.1f ms", event.event_type, event.event_id, event.meta.source, took_ms)
            logs.trace.reset(before)
