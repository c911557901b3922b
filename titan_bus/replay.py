"""What a stream still holds of a span of time, in order."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from titan_bus import codec, names
from titan_bus.connection import Connection
from titan_bus.errors import EntryMalformedError
from titan_bus.event import Event

PAGE = 500


async def replay(
    connection: Connection, from_timestamp: str, topic: str, to_timestamp: str | None = None
) -> AsyncIterator[Event]:
    """Yield a topic's events of a span of time, both ends included; entries that are no events are passed over.

    Args:
        connection: where to read.
        from_timestamp: RFC 3339; without an offset it is UTC.
        topic: whose events.
        to_timestamp: RFC 3339; None means up to what is there when the reading comes to it.

    Raises:
        ValueError: a timestamp is none.
        BusUnavailableError: the server does not answer.
    """
    stream = names.stream_of(topic)
    start = str(_milliseconds(from_timestamp))
    end = "+" if to_timestamp is None else str(_milliseconds(to_timestamp))
    while True:
        page: list[Any] = await connection.call("XRANGE", stream, start, end, "COUNT", PAGE)
        for _, fields in page:
            try:
                event = codec.decode(fields)
            except EntryMalformedError:
                continue
            yield event
        if len(page) < PAGE:
            return
        start = f"({page[-1][0].decode()}"


def _milliseconds(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
