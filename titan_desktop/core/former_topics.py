"""Topics and groups that an earlier version used: what it left there is passed on, then they are removed.

A question whose answer was cut off by the end of the earlier version is answered, and no group that nobody runs
holds a stream from being trimmed. On a home that has none of them it costs a few questions to the server.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from titan_bus import Bus, BusError, Event, Handlers
from titan_bus.backoff import Backoff
from titan_desktop.contracts import topics
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.system.outage import Outage

LOOK_S = 0.2
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Former:
    """A group of an earlier version.

    Attributes:
        passed_on: where the events are handled now, by their types; all others need nobody any more.
    """

    topic: str
    group: str
    passed_on: dict[str, str] = field(default_factory=dict)


FORMER_FILES = "fs.v1"
FORMER_INDEX = "memory.v1"
FORMER_SEARCHES = "memory.requests.v1"
FORMER = (
    Former(
        topics.CHAT,
        "chat",
        dict.fromkeys(
            ("send_prompt", "stop_answer", "retry_answer", "rename_conversation", "delete_conversation"),
            topics.CHAT_COMMANDS,
        ),
    ),
    Former(FORMER_FILES, "files", {"index_paths": topics.FILES_COMMANDS}),
    Former(FORMER_FILES, "memory", dict.fromkeys(("file_seen", "file_removed"), topics.FILES)),
    Former(FORMER_INDEX, "graph", {"file_indexed": topics.INDEXING}),
    Former(FORMER_SEARCHES, "memory"),
    Former(topics.SYSTEM, "system"),
    Former(topics.SYSTEM_REQUESTS, "system"),
)
"""Before commands, events and questions had topics of their own."""
GONE = (FORMER_FILES, FORMER_INDEX, FORMER_SEARCHES)
"""Topics on which nobody publishes any more."""


class _Passing:
    """Passes on what a former group has not handled, in its order."""

    drain_s = 1.0

    def __init__(self, bus: Bus, former: Former) -> None:
        self._bus = bus
        self._former = former
        self.handlers = Handlers()
        self.handlers.on(former.topic, former.group, concurrency=1)(self.pass_on)

    async def pass_on(self, event: Event) -> None:
        """Publish the event where it is handled now; done twice it does no harm, as with every event."""
        if topic := self._former.passed_on.get(event.event_type):
            await self._bus.publish(topic, event.event_type, event.payload)


async def settle(bus: Bus, chain: Chain) -> None:
    """Pass on what former groups have not handled, and remove them. Cancelled, the next start does the rest.

    A group with dead letters is served until then, so that "Try again" finds somebody.
    """
    backoff, outage = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S), Outage(_log, "what an earlier version left")
    while True:
        try:
            async with asyncio.TaskGroup() as tasks:
                for topic in dict.fromkeys(former.topic for former in FORMER):
                    tasks.create_task(_settle(bus, chain, topic), name=f"former {topic}")
        except* BusError as errors:
            outage.begins(errors.exceptions[0], foreseen=True)
        else:
            return
        await backoff.pause()


async def _settle(bus: Bus, chain: Chain, topic: str) -> None:
    for former in FORMER:
        if former.topic != topic or not await _is_there(bus, former):
            continue
        if former.passed_on:
            async with serving(bus, chain, _Passing(bus, former)):
                letters = await bus.dead_letters.list(1, topic=topic, group=former.group)
                while not await _is_empty(bus, former):  # noqa: ASYNC110 - the server's fact, and it tells nobody
                    await asyncio.sleep(LOOK_S)
                if letters:
                    await asyncio.Event().wait()
        await bus.remove(topic, former.group)
        _log.info("removed the group %s on %s of an earlier version", former.group, topic)
    if topic in GONE:
        await bus.remove(topic)


async def _is_there(bus: Bus, former: Former) -> bool:
    return any(group.group == former.group for group in await bus.inspection.groups(former.topic))


async def _is_empty(bus: Bus, former: Former) -> bool:
    (group,) = [one for one in await bus.inspection.groups(former.topic) if one.group == former.group]
    return group.oldest_id is None and not group.retrying
