"""Reads topics without a group, so that every reader gets every event."""

import contextlib
import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable

from titan_bus import codec, names
from titan_bus.backoff import Backoff
from titan_bus.connections.channel import Channel
from titan_bus.entry_id import LAST, EntryId
from titan_bus.errors import BusUnavailableError, EntryMalformedError, ServerRefusedError
from titan_bus.event import Event

FIRST_ID = b"0-0"

logger = logging.getLogger("titan_bus")


class Tail:
    """An asynchronous iterator over the events of some topics; it survives the server, and ends with `close`.

    `await tail.start()` settles where it begins; without it the first step does. A step that is cancelled loses
    nothing. Entries that are no events are passed over; where an upcaster fails a step raises UpcastError, and the
    next one goes on behind it. One task reads it.

    Attributes:
        ends_when_refused: a step raises what the server refuses. Else it is logged once and tried again: rights
            come back, and so does a stream whose key something else had taken.
    """

    def __init__(
        self,
        channel: Channel,
        topics: Iterable[str],
        start: str,
        block_ms: int,
        on_close: Callable[["Tail"], None],
        upcast: Callable[[Event], Event] = lambda event: event,
    ) -> None:
        self._channel = channel
        self._on_close = on_close
        self._upcast = upcast
        self._block_ms = block_ms
        self._settled = start != "$"
        place = str(_place(start)).encode() if self._settled else b"$"
        self._positions = {names.stream_of(topic).encode(): place for topic in topics}
        self._events: deque[Event] = deque()
        self._backoff = Backoff()
        self._closed = False
        self._refusal = ""
        self.ends_when_refused = False

    def __aiter__(self) -> "Tail":
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            await self._advance()
        return self._upcast(self._events.popleft())

    async def start(self) -> None:
        """Settle the beginning: what is published after this returns will be seen.

        Raises:
            BusUnavailableError: the server does not answer now.
            ServerRefusedError: it lets nobody read there, or what is there is no stream.
        """
        if self._settled:
            return
        # "$" means something else at every call, so a lost connection would lose events: take the ids behind it.
        for stream in self._positions:
            last = await self._channel.call("XREVRANGE", stream, "+", "-", "COUNT", 1)
            self._positions[stream] = last[0][0] if last else FIRST_ID
        self._settled = True

    async def close(self) -> None:
        """End the iteration; who waits for the next event gets StopAsyncIteration."""
        self._closed = True
        self._channel.close()
        self._on_close(self)

    aclose = close  # for contextlib.aclosing

    async def _advance(self) -> None:
        try:
            await self.start()
            reply = await self._channel.call(
                "XREAD", "COUNT", 100, "BLOCK", self._block_ms, "STREAMS",
                *self._positions, *self._positions.values(),
                block_s=self._block_ms / 1000,
            )  # fmt: skip
            self._backoff.reset()
            self._refusal = ""
        except (BusUnavailableError, ServerRefusedError) as error:
            if not self._closed:
                if isinstance(error, ServerRefusedError):
                    self._refused(error)
                await self._backoff.pause()
            return
        heard: list[list[tuple[int, Event]]] = []
        for stream, entries in reply or ():
            heard.append([])
            for entry_id, fields in entries:
                self._positions[stream] = entry_id
                with contextlib.suppress(EntryMalformedError):
                    heard[-1].append((_milliseconds(entry_id), codec.decode(fields)))
        # Streams come one after the other; what was said first on another topic is to be seen first. Within a
        # millisecond each stream counts for itself, so there the events' own ids tell what came first.
        merged = heapq.merge(*heard, key=lambda item: (item[0], item[1].event_id))
        self._events.extend(event for _, event in merged)

    def _refused(self, error: ServerRefusedError) -> None:
        if self.ends_when_refused:
            raise error
        if error.code != self._refusal:  # or it would fill the log, twice a second
            self._refusal = error.code
            streams = ", ".join(stream.decode() for stream in self._positions)
            logger.error("%s cannot be tailed, trying again: %s", streams, error)


def _place(start: str) -> EntryId:
    """Return where to begin.

    Raises:
        ValueError: it is no place in a stream.
    """
    place = EntryId.parse(start)
    if max(place) > LAST.number:
        raise ValueError(f"{start!r} is behind every entry that there can be: {LAST} is the last")
    return place


def _milliseconds(entry_id: bytes) -> int:
    """Return when the server took an entry."""
    return int(entry_id.partition(b"-")[0])
