"""One event in the hands of one consumer."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from titan_bus.event import Event

IGNORED: Final = object()
"""What a handler returns of an event that is not for it: it is acknowledged, whoever acknowledges the others."""

Key = tuple[str, bytes]
"""What names a delivery within a group: its stream and the id of its entry."""
Entry = tuple[bytes, list[bytes]]
"""As the server sends it: its id, and its fields and values in turn."""


@dataclass(slots=True)
class Delivery:
    """An entry as it was read, and the event in it.

    Attributes:
        partition: what `partition_by` made of the event; None when it needs no order.
        delivered: how often it was before it was taken over (`claims`); None when it comes for the first time.
        begun: its handler was called.
    """

    stream: str
    entry_id: bytes
    fields: list[bytes]
    event: Event
    partition: Hashable = None
    delivered: int | None = None
    begun: bool = False
