"""The server's figures for the topics that this bus publishes or consumes, fetched at intervals for `metrics`.

Includes the other groups of these topics, so that a group without a running program is visible to the publishers.
A server that is away, or gives an unknown reply, clears the figures.
"""

import asyncio
import logging

import msgspec

from titan_bus import names
from titan_bus.connections.connection import Connection
from titan_bus.connections.server_info import eviction_policy
from titan_bus.errors import ServerRefusedError
from titan_bus.inspection import GroupState, Inspection
from titan_bus.observability.counters import Counters

logger = logging.getLogger("titan_bus")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one moment.

    Attributes:
        lengths: entries in the stream of each topic.
        groups: of all these topics, without the archive's.
        archive: the archive's position in each topic that it archives.
        dead_letters: entries in `errors.dlq`, of all topics on the server.
        eviction: the server's `maxmemory-policy`; None where it does not tell.
    """

    lengths: dict[str, int]
    groups: list[GroupState]
    archive: list[GroupState]
    dead_letters: int
    eviction: str | None


class Watch:
    """Holds the `latest` figures: None before the first reply and after a failure."""

    def __init__(self, connection: Connection, counters: Counters, every_s: float) -> None:
        self.latest: Figures | None = None
        self._connection = connection
        self._inspection = Inspection(connection)
        self._counters = counters
        self._every_s = every_s
        self._refusal = ""

    async def round(self) -> None:
        """Fetch the figures, then wait."""
        try:
            self.latest = await self._look()
            self._refusal = ""
        except ServerRefusedError as error:
            self.latest = None
            if str(error) != self._refusal:  # it would be the same every few seconds
                self._refusal = str(error)
                logger.warning(
                    "metrics: the server refuses lag and the like (%s); `titan-bus acl --metrics` has the rights",
                    error,
                )
        except Exception:  # a supervisor: old figures would look like a healthy server
            self.latest = None
            raise
        await asyncio.sleep(self._every_s)

    async def _look(self) -> Figures:
        topics = sorted({*self._counters.topics, *(topic for topic, _ in self._counters.groups)})
        lengths: dict[str, int] = {}
        states: list[GroupState] = []
        for topic in topics:  # sequentially: a thousand groups at once would delay the loop
            lengths[topic] = await self._connection.call("XLEN", names.stream_of(topic))
            states += await self._inspection.groups(topic)
        return Figures(
            lengths=lengths,
            groups=[state for state in states if state.group != names.ARCHIVE_GROUP],
            archive=[state for state in states if state.group == names.ARCHIVE_GROUP],
            dead_letters=await self._connection.call("XLEN", names.DEAD_LETTERS),
            eviction=await eviction_policy(self._connection),
        )
