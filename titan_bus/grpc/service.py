"""Implements the calls of `titan_bus.proto`, one method each: check the rights, call the bus, return the answer.

`admitted` wraps each of them, see `calls`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from titan_bus.bus import Bus
from titan_bus.errors import CallMalformedError, TokenRefusedError
from titan_bus.event import Event
from titan_bus.grpc import messages, status, tokens
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.calls import admitted
from titan_bus.grpc.dispatcher import Dispatchers
from titan_bus.grpc.secret import Keys
from titan_bus.grpc.status import Context
from titan_bus.grpc.stream import Stream
from titan_bus.grpc.tokens import CURE, Caller

REQUEST_TIMEOUT_S = 5.0
BEARER = "bearer "


class Service:
    """The calls of all clients.

    Args:
        bus: an open bus.
        keys: verify the clients' tokens.
        dispatchers: the bus's subscriptions for the clients' streams.
        hours_max: for how long a token may count.
    """

    def __init__(self, bus: Bus, keys: Keys, dispatchers: Dispatchers, hours_max: float) -> None:
        self._bus = bus
        self._keys = keys
        self._hours_max = hours_max
        self._dispatchers = dispatchers

    def caller(self, context: Context) -> Caller:
        """Return the caller.

        Raises:
            TokenRefusedError: the token is missing or invalid.
        """
        given = [str(value) for name, value in context.invocation_metadata() or () if name == "authorization"]
        if len(given) != 1 or not given[0].lower().startswith(BEARER):
            raise TokenRefusedError(f"the call has no token; {CURE}")
        return tokens.check(self._keys, given[0][len(BEARER) :].strip(), hours_max=self._hours_max)

    @admitted
    async def Publish(self, caller: Caller, request: pb.PublishRequest, _context: Context) -> pb.PublishReply:  # noqa: N802 -- as in the proto
        """Publish one event."""
        return pb.PublishReply(event_id=await self._publish(caller, request))

    @admitted
    async def PublishBatch(  # noqa: N802
        self, caller: Caller, batch: pb.PublishBatchRequest, _context: Context
    ) -> pb.PublishBatchReply:
        """Publish several events; each has its own outcome."""
        if len(batch.events) > messages.BATCH_MAX:
            raise CallMalformedError(
                "events", f"have to be {messages.BATCH_MAX} or fewer, not {len(batch.events)}"
            )
        outcomes: list[asyncio.Future[str] | Exception] = []
        for request in batch.events:
            try:
                outcomes.append(self._publish(caller, request))
            except Exception as error:  # noqa: BLE001 -- one of many: its status contains the error
                outcomes.append(error)
        await asyncio.gather(
            *(one for one in outcomes if isinstance(one, asyncio.Future)), return_exceptions=True
        )
        return pb.PublishBatchReply(results=[_result(one) for one in outcomes])

    @admitted
    async def Subscribe(  # noqa: N802
        self, caller: Caller, request: pb.SubscribeRequest, context: Context
    ) -> None:
        """Deliver events to a client until it ends the stream."""
        wanted = messages.subscription(request)
        caller.may_subscribe(wanted.topic, wanted.group)
        stream = Stream(context, caller, wanted.concurrency)
        dispatcher = await self._dispatchers.join(wanted.topic, wanted.group, wanted.start, stream)
        try:
            await stream.run(dispatcher)
        finally:
            self._dispatchers.leave(wanted.topic, wanted.group, stream)
            stream.fail_in_flight()

    @admitted
    async def Ack(self, caller: Caller, request: pb.AckRequest, _context: Context) -> pb.AckReply:  # noqa: N802
        """Acknowledge an event that is in flight on any stream of the group."""
        messages.check_names(topic=request.topic, group=request.group)
        caller.may_subscribe(request.topic, request.group)
        self._dispatchers.find(request.topic, request.group, request.event_id).outcome.set_result(None)
        return pb.AckReply()

    @admitted
    async def Replay(self, caller: Caller, request: pb.ReplayRequest, context: Context) -> None:  # noqa: N802
        """Replay a topic."""
        messages.check_names(topic=request.topic)
        caller.may_replay(request.topic)
        try:
            async with (
                asyncio.timeout(max(0.0, caller.remaining_s())) as validity,
                aclosing(self._past(request)) as past,
            ):
                async for event in past:
                    await context.write(messages.event(event))
        except TimeoutError as error:
            if not validity.expired():
                raise
            raise TokenRefusedError(f"the token has expired; {CURE}") from error
        except ValueError as error:
            raise CallMalformedError(
                "from, to", f"{error}; a time is written 2026-01-31T12:00:00Z"
            ) from error

    @admitted
    async def Request(self, caller: Caller, request: pb.PublishRequest, context: Context) -> pb.RequestReply:  # noqa: N802
        """Send a request and wait for the answer."""
        messages.check_names(topic=request.topic, event_type=request.event_type)
        caller.may_publish(request.topic)
        remaining_s = context.time_remaining()
        reply = await self._bus.request(
            request.topic, request.event_type, messages.payload(request),
            timeout_s=REQUEST_TIMEOUT_S if remaining_s is None else remaining_s, source=caller.subject,
        )  # fmt: skip
        return pb.RequestReply(result_json=bytes(reply).decode())

    def _publish(self, caller: Caller, request: pb.PublishRequest) -> asyncio.Future[str]:
        messages.check_names(topic=request.topic, event_type=request.event_type)
        caller.may_publish(request.topic)
        return self._bus.publish(
            request.topic, request.event_type, messages.payload(request), messages.priority(request),
            schema_version=messages.schema_version(request), source=caller.subject,
        )  # fmt: skip

    def _past(self, request: pb.ReplayRequest) -> AsyncGenerator[Event, None]:
        if bool(request.from_timestamp) == bool(request.from_id):
            raise CallMalformedError("from_timestamp, from_id", "one of the two has to say where to begin")
        if request.from_id and request.to_timestamp:
            raise CallMalformedError("to_timestamp", "goes with from_timestamp alone")
        return (
            self._bus.replay_from(request.from_id, request.topic)
            if request.from_id
            else self._bus.replay(request.from_timestamp, request.topic, request.to_timestamp or None)
        )


def _result(outcome: asyncio.Future[str] | Exception) -> pb.PublishResult:
    error: Any = outcome.exception() if isinstance(outcome, asyncio.Future) else outcome
    if error is not None:
        return pb.PublishResult(failure=status.of(error).failure())
    return pb.PublishResult(event_id=cast("asyncio.Future[str]", outcome).result())
