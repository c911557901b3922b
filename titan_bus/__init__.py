"""titan_bus: an event bus on Redis Streams for any Python program.

    async with Bus(BusConfig(url="redis://localhost", source="shop@v1")) as bus:
        await bus.subscribe("orders.v1", "billing", handler)
        await bus.publish("orders.v1", "order_placed", {"number": 7}, priority="high")

Every event is handled at least once by each group, sorted by priority within a batch. A failed one is tried
again with growing pauses, then lies in `errors.dlq`. One that was in hand when the server or the program was
killed comes a second time, under the same `event_id`: handlers bear that.
"""

from titan_bus.archiver import Archived
from titan_bus.bus import Bus, Subscription
from titan_bus.config import (
    ArchiveConfig,
    BusConfig,
    ClaimConfig,
    ReadConfig,
    RetryConfig,
    StreamConfig,
)
from titan_bus.deadletter import DeadLetter
from titan_bus.default import ack, connect, disconnect, publish, replay, request, subscribe
from titan_bus.errors import (
    ArchiveError,
    BusClosedError,
    BusError,
    BusOverloadedError,
    BusUnavailableError,
    EventMalformedError,
    EventNotFoundError,
    EventNotHeldError,
    EventTooLargeError,
    FatalError,
    GroupNotFoundError,
    HandlerRefusedError,
    NotReplicatedError,
    PayloadMismatchError,
    PublishRefusedError,
    RequestError,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
    RestoreRefusedError,
    SegmentDamagedError,
    ServerFullError,
    ServerRefusedError,
    StoreError,
    UpcastError,
)
from titan_bus.event import EVENT_BYTES_MAX, Event, Meta, Priority, new_ulid
from titan_bus.handlers import Handlers
from titan_bus.restore import Restored
from titan_bus.tail import Tail
from titan_bus.upcast import Upcasters

__version__ = "0.1.0"

__all__ = [
    "EVENT_BYTES_MAX",
    "ArchiveConfig",
    "ArchiveError",
    "Archived",
    "Bus",
    "BusClosedError",
    "BusConfig",
    "BusError",
    "BusOverloadedError",
    "BusUnavailableError",
    "ClaimConfig",
    "DeadLetter",
    "Event",
    "EventMalformedError",
    "EventNotFoundError",
    "EventNotHeldError",
    "EventTooLargeError",
    "FatalError",
    "GroupNotFoundError",
    "HandlerRefusedError",
    "Handlers",
    "Meta",
    "NotReplicatedError",
    "PayloadMismatchError",
    "Priority",
    "PublishRefusedError",
    "ReadConfig",
    "RequestError",
    "RequestFailedError",
    "RequestRefused",
    "RequestTimedOutError",
    "RestoreRefusedError",
    "Restored",
    "RetryConfig",
    "SegmentDamagedError",
    "ServerFullError",
    "ServerRefusedError",
    "StoreError",
    "StreamConfig",
    "Subscription",
    "Tail",
    "UpcastError",
    "Upcasters",
    "ack",
    "connect",
    "disconnect",
    "new_ulid",
    "publish",
    "replay",
    "request",
    "subscribe",
]
