"""Decides when no client needs the core any more, from the clients' heartbeats."""

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
"""After the start a client has this long to send its first heartbeat."""
AFTERGLOW_S = 2.0
"""The time after the last client has left, so that two commands in a row share one core."""
LOOK_S = 0.25


class Presence:
    """Counts clients.

    Args:
        busy: returns whether there is work; while there is, the core stays.
        now: monotonic seconds, which stand still while the machine sleeps.
    """

    def __init__(self, busy: Callable[[], bool], now: Callable[[], float] = time.monotonic) -> None:
        self._busy = busy
        self._now = now
        self._last_beat_s: dict[str, float] = {}
        self._alone_until_s = now() + GRACE_S

    def arrived(self, client_id: str) -> None:
        """Record a client's heartbeat."""
        if client_id not in self._last_beat_s:
            log.info("client %s is there", client_id)
        self._last_beat_s[client_id] = self._now()

    def left(self, client_id: str) -> None:
        """Record that a client has left."""
        self._last_beat_s.pop(client_id, None)
        log.info("client %s has left", client_id)
        self._linger()

    def is_over(self) -> bool:
        """Whether the core may end: no client, no grace period, and no work."""
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
    """Update `presence` from the clients' events, until cancelled."""
    async for event in tail:
        try:
            said = SAID.read(event)
        except FatalError as error:
            log.warning("an unreadable event on the presence topic: %s", error)
            continue
        match said:
            case ClientPresent():
                presence.arrived(said.client_id)
            case ClientLeft():
                presence.left(said.client_id)


async def until_alone(presence: Presence) -> None:
    """Return when the core may end."""
    while not presence.is_over():  # noqa: ASYNC110  # time passes without an event
        await asyncio.sleep(LOOK_S)
