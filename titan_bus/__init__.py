"""titan_bus: an event bus on Redis Streams for any Python program.

    import asyncio
    import sys

    import msgspec

    from titan_bus import Bus, BusConfig, BusUnavailableError, Handlers

    class OrderPlaced(msgspec.Struct):
        number: int

    handlers = Handlers()
    billed = asyncio.Event()

    @handlers.on("orders.v1", "billing")
    async def bill(order: OrderPlaced) -> None:
        print("billing order", order.number)
        billed.set()

    async def main() -> None:
        async with Bus(BusConfig(url="redis://localhost", source="shop@v1"), handlers) as bus:
            await bus.publish("orders.v1", "order_placed", OrderPlaced(7), priority="high")
            await billed.wait()

    if __name__ == "__main__":
        try:
            asyncio.run(main())
        except BusUnavailableError as error:
            sys.exit(f"{error}. Start one: docker run -p 6379:6379 valkey/valkey")

Every event is handled at least once by each group, sorted by priority within a batch. A failed one is tried
again with growing pauses, then lies in `errors.dlq` (`Bus.dead_letters`). One that was in flight when the server
or the program was killed comes a second time, under the same `event_id`: handlers bear that, or use `PostgresOnce`
and `Bus.once`. `publish`, `subscribe`, `ack`, `replay` and `request` of this module speak through one default bus,
opened with `connect`. `titan_bus.testing` has a bus on a server of its own, for tests.
"""

from titan_bus.archive.archiver import Archived
from titan_bus.archive.restore import Restored
from titan_bus.bus import Bus
from titan_bus.config import (
    ArchiveConfig,
    BusConfig,
    ClaimConfig,
    MetricsConfig,
    ReadConfig,
    RetryConfig,
    StreamConfig,
)
from titan_bus.connections.access import Credentials
from titan_bus.consumer.subscription import Subscription
from titan_bus.deadletter import DeadLetter
from titan_bus.declaring.handlers import Handlers
from titan_bus.declaring.upcast import Upcasters
from titan_bus.default import ack, connect, disconnect, publish, replay, request, subscribe
from titan_bus.erasure.receipt import ErasureReceipt
from titan_bus.errors import (
    AccessRefusedError,
    ArchiveElsewhereError,
    ArchiveError,
    ArchiveForeignError,
    ArchiveUnnamedError,
    BusClosedError,
    BusError,
    BusForkedError,
    BusOverloadedError,
    BusThreadError,
    BusUnavailableError,
    ConfigError,
    ConfigValueError,
    ConsumerNameTakenError,
    ErasureInterruptedError,
    EventMalformedError,
    EventNotFoundError,
    EventNotHeldError,
    EventTooLargeError,
    ExtraMissingError,
    FatalError,
    GroupNotFoundError,
    HandlerRefusedError,
    HandlerTimedOutError,
    NameMalformedError,
    NotReplicatedError,
    OnceMisusedError,
    PayloadMismatchError,
    PublishRefusedError,
    RequestError,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
    RestoreDisturbedError,
    RestoreRefusedError,
    SegmentDamagedError,
    ServerFullError,
    ServerRefusedError,
    ServerTooOldError,
    StoreError,
    UndescribableError,
    UpcastError,
    WrongTypeError,
)
from titan_bus.event import EVENT_BYTES_MAX, Event, Meta, Priority, new_ulid
from titan_bus.once import PostgresOnce, RedisOnce
from titan_bus.tail import Tail
from titan_bus.version import __version__

__all__ = [
    "EVENT_BYTES_MAX",
    "AccessRefusedError",
    "ArchiveConfig",
    "ArchiveElsewhereError",
    "ArchiveError",
    "ArchiveForeignError",
    "ArchiveUnnamedError",
    "Archived",
    "Bus",
    "BusClosedError",
    "BusConfig",
    "BusError",
    "BusForkedError",
    "BusOverloadedError",
    "BusThreadError",
    "BusUnavailableError",
    "ClaimConfig",
    "ConfigError",
    "ConfigValueError",
    "ConsumerNameTakenError",
    "Credentials",
    "DeadLetter",
    "ErasureInterruptedError",
    "ErasureReceipt",
    "Event",
    "EventMalformedError",
    "EventNotFoundError",
    "EventNotHeldError",
    "EventTooLargeError",
    "ExtraMissingError",
    "FatalError",
    "GroupNotFoundError",
    "HandlerRefusedError",
    "HandlerTimedOutError",
    "Handlers",
    "Meta",
    "MetricsConfig",
    "NameMalformedError",
    "NotReplicatedError",
    "OnceMisusedError",
    "PayloadMismatchError",
    "PostgresOnce",
    "Priority",
    "PublishRefusedError",
    "ReadConfig",
    "RedisOnce",
    "RequestError",
    "RequestFailedError",
    "RequestRefused",
    "RequestTimedOutError",
    "RestoreDisturbedError",
    "RestoreRefusedError",
    "Restored",
    "RetryConfig",
    "SegmentDamagedError",
    "ServerFullError",
    "ServerRefusedError",
    "ServerTooOldError",
    "StoreError",
    "StreamConfig",
    "Subscription",
    "Tail",
    "UndescribableError",
    "UpcastError",
    "Upcasters",
    "WrongTypeError",
    "__version__",
    "ack",
    "connect",
    "disconnect",
    "new_ulid",
    "publish",
    "replay",
    "request",
    "subscribe",
]
