"""Decides when nobody needs the core any more: it hears the clients' beats and counts those who are there."""

import asyncio
import logging
import time
from collections.abc import Callable

from titan_bus import FatalError, Tail
from titan_desktop.contracts.message import Kinds
from titan_desktop.contracts.system import CLIENT_TTL_S, ClientLeft, ClientPresent

log = logging.getLogger(__name__)

SAID = Kinds(ClientPresent, ClientLeft)

GRACE_S = 20.0
"""After the start somebody has this long to say that they are there."""
AFTERGLOW_S = 2.0
"""After the last client has left: two commands in a row share one core."""
LOOK_S = 0.25


class Presence:
    """Counts clients.

    Args:
        busy: says whether work is in hand; while it is, the core stays.
        now: seconds that never go back, and that stand still while the machine sleeps.
    """

    def __init__(self, busy: Callable[[], bool], now: Callable[[], float] = time.monotonic) -> None:
        self._busy = busy
        self._now = now
        self._last_beat_s: dict[str, float] = {}
        self._alone_until_s = now() + GRACE_S

    def arrived(self, client_id: str) -> None:
        """Note a client's beat."""
        if client_id not in self._last_beat_s:
            log.info("client %s is there", client_id)
        self._last_beat_s[client_id] = self._now()

    def left(self, client_id: str) -> None:
        """Note that a client has said goodbye."""
        self._last_beat_s.pop(client_id, None)
        log.info("client %s has left", client_id)
        self._linger()

    def is_over(self) -> bool:
        """Say whether the core may end: nobody there, the time to come back has run out, and no work in hand."""
        now = self._now()
        for client_id, beat_s in list(self._last_beat_s.items()):
            if now - beat_s > CLIENT_TTL_S:
                del self._last_beat_s[client_id]
                log.info("client %s has not been heard for %s s", client_id, CLIENT_TTL_S)
                self._linger()
        if self._last_beat_s:
            return False
        if self._busy():
            self._alone_until_s = max(self._alone_until_s, now + AFTERGLOW_S)
            return False
        return now > self._alone_until_s

    def _linger(self) -> None:
        self._alone_until_s = self._now() + AFTERGLOW_S


async def listen(tail: Tail, presence: Presence) -> None:
    """Tell `presence` what the clients say, until cancelled."""
    async for event in tail:
        try:
            said = SAID.read(event)
        except FatalError as error:
            log.warning("on presence: %s", error)
            continue
        match said:
            case ClientPresent():
                presence.arrived(said.client_id)
            case ClientLeft():
                presence.left(said.client_id)


async def until_alone(presence: Presence) -> None:
    """Return when the core may end."""
    while not presence.is_over():  # noqa: ASYNC110  # time runs out without an event
        await asyncio.sleep(LOOK_S)
