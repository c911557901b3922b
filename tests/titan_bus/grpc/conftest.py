"""A gRPC server on the session's server, and clients with tokens of all kinds."""

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from titan_bus import Bus, BusConfig
from titan_bus.grpc import secret, titan_bus_pb2_grpc, tokens
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.listening import Listening
from titan_bus.grpc.server import GrpcServer

ALL = ("*",)
READ_S = 30.0


class Stub:
    """The generated client, with the same metadata in every call."""

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self.channel = channel
        self._stub = titan_bus_pb2_grpc.BusStub(channel)
        self._metadata = metadata

    def __getattr__(self, name: str) -> Any:
        return functools.partial(getattr(self._stub, name), metadata=self._metadata)


Connect = Callable[..., Awaitable[Stub]]


class Client:
    """One Subscribe stream, message by message."""

    def __init__(self, stub: Stub, topic: str, group: str, concurrency: int = 0) -> None:
        self.call = stub.Subscribe(timeout=READ_S)
        self._first = pb.SubscribeRequest(
            subscription=pb.Subscription(topic=topic, group=group, concurrency=concurrency)
        )
        self.unknown: list[str] = []

    async def open(self) -> "Client":
        await self.call.write(self._first)
        return self

    async def read(self, count: int = 1) -> list[pb.Event]:
        """Read until `count` events came."""
        events: list[pb.Event] = []
        while len(events) < count:
            message = await self.call.read()
            assert message is not grpc.aio.EOF, (await self.call.code(), await self.call.details())
            events.extend(message.events)
            self.unknown.extend(message.unknown_ids)
        assert len(events) == count
        return events

    async def ack(self, *event_ids: str, result: str = "") -> None:
        acks = [pb.Ack(event_id=event_id, result_json=result) for event_id in event_ids]
        await self.call.write(pb.SubscribeRequest(acks=acks))

    async def nack(self, event_id: str, reason: str = "", *, fatal: bool = False, code: str = "") -> None:
        nack = pb.Nack(event_id=event_id, reason=reason, fatal=fatal, code=code)
        await self.call.write(pb.SubscribeRequest(nacks=[nack]))

    async def flow(self, concurrency: int) -> None:
        await self.call.write(pb.SubscribeRequest(flow=pb.Flow(concurrency=concurrency)))

    async def close(self) -> None:
        """Leave as a client does that has finished."""
        await self.call.done_writing()
        while await self.call.read() is not grpc.aio.EOF:
            pass
        assert await self.call.code() is grpc.StatusCode.OK


@contextlib.asynccontextmanager
async def refused(code: grpc.StatusCode, reason: str, *words: str) -> AsyncIterator[None]:
    """The call within ends with this status, this reason, and these words in its sentence."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    error = caught.value
    assert error.code() is code, error.details()
    assert dict(error.trailing_metadata())["titan-bus-reason"] == reason
    for word in words:
        assert word in str(error.details())


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "jwt.secret"


@pytest.fixture
def token(secret_file: Path) -> Callable[..., str]:
    """Make a token of this test's gRPC server; it may everything when nothing else is said."""

    def make(
        subject: str = "node",
        *,
        publish: Sequence[str] = ALL,
        subscribe: Sequence[str] = ("*:*",),
        hours: float = 1.0,
    ) -> str:
        return tokens.make(secret.read(secret_file), subject, hours, publish, subscribe)

    return make


@pytest.fixture
async def grpc_server(config: BusConfig, secret_file: Path) -> AsyncIterator[GrpcServer]:
    key = secret.shared(secret_file)
    quick = msgspec.structs.replace(config, consumer="grpc", drain_s=0.2)
    async with Bus(quick) as bus, GrpcServer(bus, key, Listening.on("127.0.0.1:0")) as grpc_server:
        yield grpc_server


@pytest.fixture
async def connect(grpc_server: GrpcServer, token: Callable[..., str]) -> AsyncIterator[Connect]:
    """Open a connection with a token; without one it is one that may everything, "" sends none."""
    async with contextlib.AsyncExitStack() as channels:

        async def open_channel(given: str | None = None) -> Stub:
            bearer = token() if given is None else given
            # A pool of its own: channels of one address would share a connection otherwise.
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(grpc_server.address, options=options)
            await channels.enter_async_context(channel)
            return Stub(channel, (("authorization", f"Bearer {bearer}"),) if bearer else ())

        yield open_channel


@pytest.fixture
async def stub(connect: Connect) -> Stub:
    """A client that may everything."""
    return await connect()
