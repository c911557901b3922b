"""One event in the hands of one consumer."""

from dataclasses import dataclass

from titan_bus.event import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry as it was read, and the event in it."""

    stream: str
    entry_id: bytes
    fields: list[bytes]
    event: Event
