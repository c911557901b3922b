"""The middleware between the bus and every handler of the core: access, permission, trace and log, in this order.

Each service's handlers are wrapped in one `Chain`. A check that refuses returns a code, and the handler is not
called. A refused request is answered with that code. A refused command or event becomes a dead letter: what a
person typed is not lost, they see that it was not done, and "Try again" runs the chain once more.
"""

import logging
import time
from collections.abc import Awaitable, Callable

from titan_bus import Event, FatalError, RequestRefused
from titan_desktop.system import logs

log = logging.getLogger(__name__)

Call = Callable[[Event], Awaitable[object]]
Decision = Callable[[Event], str]
"""Returns "" to allow, or the code of the reason to refuse."""


class NotAllowedError(FatalError):
    """A command or an event was refused.

    Attributes:
        code: why.
    """

    def __init__(self, event: Event, code: str) -> None:
        super().__init__(f"{event.event_type} from {event.meta.source} is refused: {code}")
        self.code = code


def everybody(_event: Event) -> str:
    """Allow every client: there is no lock yet, and the bus belongs to one person."""
    return ""


def everything(_event: Event) -> str:
    """Allow everything: there are no actions yet."""
    return ""


class Chain:
    """The middleware around the handlers of the core.

    Args:
        access: checks whether the core is unlocked and the client may use it.
        permission: checks whether the client may request this.
    """

    def __init__(self, access: Decision = everybody, permission: Decision = everything) -> None:
        self._access = access
        self._permission = permission

    async def __call__(self, event: Event, call: Call) -> object:
        """Call the handler with the event, and return its result."""
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
