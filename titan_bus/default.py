"""The module functions: one default bus for a program that needs no more. A library takes a `Bus` instead."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, TypeVar, overload

import msgspec

from titan_bus.bus import Bus
from titan_bus.config import BusConfig
from titan_bus.connections.access import Credentials
from titan_bus.consumer.spec import PartitionBy
from titan_bus.consumer.subscription import Subscription
from titan_bus.declaring.handlers import Handlers
from titan_bus.declaring.signatures import AnyHandler
from titan_bus.errors import BusClosedError, ConsumerNameTakenError
from titan_bus.event import SCHEMA_VERSION, Event, Payload, Priority

T = TypeVar("T")

_default: list[tuple[asyncio.AbstractEventLoop, Bus]] = []


async def connect(
    config: BusConfig | str, *handlers: Handlers, credentials: Credentials | None = None
) -> Bus:
    """Open the default bus with these handlers, closing the one before it. `credentials` are as of `Bus`.

    When closing that one fails or is cancelled, none is left.

    Raises:
        BusUnavailableError: the server does not answer.
        HandlerRefusedError: the handlers contradict each other.
    """
    bus = Bus(config, *handlers, credentials=credentials)
    try:
        await bus.open()
    except ConsumerNameTakenError:
        if not _default:
            raise
        await disconnect()  # the one before it may have that name
        bus = Bus(config, *handlers, credentials=credentials)
        await bus.open()
    former, _default[:] = tuple(_default), [(asyncio.get_running_loop(), bus)]
    try:
        for loop, one in former:
            await _close(loop, one)
    except BaseException:
        _default[:] = [kept for kept in _default if kept[1] is not bus]
        await bus.close()
        raise
    return bus


async def disconnect() -> None:
    """Close the default bus, if there is one."""
    while _default:
        await _close(*_default.pop())


async def _close(loop: asyncio.AbstractEventLoop, bus: Bus) -> None:
    if not loop.is_closed():  # else its tasks and sockets went with the loop
        await bus.close()


def publish(
    topic: str,
    event_type: str,
    payload: Payload,
    priority: Priority | str = Priority.MEDIUM,
    *,
    schema_version: int = SCHEMA_VERSION,
    delay_s: float | None = None,
    at: datetime | None = None,
) -> asyncio.Future[str]:
    """See `Bus.publish`."""
    return _bus().publish(
        topic, event_type, payload, priority, schema_version=schema_version, delay_s=delay_s, at=at
    )


async def subscribe(
    topic: str,
    group: str,
    handler: AnyHandler,
    *,
    concurrency: int = 16,
    auto_ack: bool = True,
    start: str = "0",
    partition_by: PartitionBy | None = None,
    timeout_s: float | None = None,
) -> Subscription:
    """See `Bus.subscribe`."""
    return await _bus().subscribe(
        topic,
        group,
        handler,
        concurrency=concurrency,
        auto_ack=auto_ack,
        start=start,
        partition_by=partition_by,
        timeout_s=timeout_s,
    )


async def ack(event_id: str) -> None:
    """See `Bus.ack`."""
    await _bus().ack(event_id)


def replay(from_timestamp: str, topic: str, to_timestamp: str | None = None) -> AsyncGenerator[Event, None]:
    """See `Bus.replay`."""
    return _bus().replay(from_timestamp, topic, to_timestamp)


@overload
async def request(
    topic: str, event_type: str, payload: Payload, reply_type: type[T], timeout_s: float = 5.0
) -> T: ...


@overload
async def request(
    topic: str, event_type: str, payload: Payload, reply_type: None = None, timeout_s: float = 5.0
) -> msgspec.Raw: ...


async def request(
    topic: str, event_type: str, payload: Payload, reply_type: Any = None, timeout_s: float = 5.0
) -> Any:
    """See `Bus.request`."""
    return await _bus().request(topic, event_type, payload, reply_type, timeout_s)


def _bus() -> Bus:
    if not _default:
        raise BusClosedError
    return _default[0][1]
