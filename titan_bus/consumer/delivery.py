"""One event as it was delivered to one consumer."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from titan_bus.event import Event

IGNORED: Final = object()
"""A handler returns this for an event that is not meant for it. The event is acknowledged, also with
`auto_ack=False`."""

Key = tuple[str, bytes]
"""Identifies a delivery within a group: the stream and the entry's id."""
Entry = tuple[bytes, list[bytes]]
"""An entry as the server sends it: its id, then fields and values in turn."""


@dataclass(slots=True)
class Delivery:
    """An entry as it was read, and the event in it.

    Attributes:
        partition: what `partition_by` returned for the event; None when it needs no order.
        delivered: the delivery count before it was claimed (`claims`); None for a first delivery.
        started_s: when its handler was called, by `time.monotonic`; None before.
    """

    stream: str
    entry_id: bytes
    fields: list[bytes]
    event: Event
    partition: Hashable = None
    delivered: int | None = None
    started_s: float | None = None
