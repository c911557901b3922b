"""The gRPC server: opened beside an open bus, closed before it."""

import asyncio
import logging
from types import TracebackType
from typing import Self

import grpc

from titan_bus.bus import Bus
from titan_bus.errors import ConfigValueError
from titan_bus.grpc import tokens
from titan_bus.grpc.calls import handler_of
from titan_bus.grpc.dispatcher import Dispatchers
from titan_bus.grpc.listening import UNIX, Listening
from titan_bus.grpc.secret import Keys
from titan_bus.grpc.service import Service
from titan_bus.grpc.socket_file import SocketFile

MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""The default limit of gRPC's clients, too."""
CALLS_MAX = 2_000
GRACE_S = 1.0
"""How long calls may take to finish after the streams were ended."""
OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_concurrent_streams", 256),
    # A client that vanished is noticed within 30 s, and its events are delivered again.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # the shortest ping interval for clients
    ("grpc.so_reuseport", 0),  # otherwise two gRPC servers on one port would share its clients silently
)

logger = logging.getLogger("titan_bus")


class GrpcServer:
    """Serves a bus to programs in other languages.

    async with Bus(config) as bus, GrpcServer(bus, secret.shared(path), Listening.on()) as grpc_server: ...
    """

    def __init__(
        self, bus: Bus, keys: Keys, listening: Listening, *, hours_max: float = tokens.HOURS_MAX
    ) -> None:
        self._bus = bus
        self._keys = keys
        self._hours_max = hours_max
        self._listening = listening
        self._socket = SocketFile(listening.socket) if listening.socket is not None else None
        self._dispatchers = Dispatchers(bus)
        self._server: grpc.aio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def address(self) -> str:
        """The address it listens on, with the actual port."""
        if self._listening.socket is not None:
            return self._listening.address
        return f"{self._listening.address.rpartition(':')[0]}:{self._port}"

    async def open(self) -> None:
        """Start listening.

        Raises:
            ConfigValueError: the address is in use or does not belong to this machine.
        """
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=CALLS_MAX)
        server.add_generic_rpc_handlers(
            (handler_of(Service(self._bus, self._keys, self._dispatchers, self._hours_max)),)
        )
        self._port = self._bind(server)
        await server.start()
        self._server = server

    async def close(self) -> None:
        """Accept no new calls, wait the bus's `drain_s` for outcomes, then end the streams (UNAVAILABLE)."""
        server, self._server = self._server, None
        if server is None:
            return
        stopping = asyncio.create_task(
            server.stop(self._bus.config.drain_s + GRACE_S), name="titan_bus grpc: stop the server"
        )
        await self._dispatchers.close()
        await stopping
        if self._socket is not None:
            self._socket.remove()

    def _bind(self, server: grpc.aio.Server) -> int:
        address, certificate, private_key = (
            self._listening.address, self._listening.certificate, self._listening.private_key,
        )  # fmt: skip
        if self._socket is not None:
            self._socket.check_free()
            address = f"{UNIX}{self._socket.made_at}"
        try:
            if certificate is None or private_key is None:
                port = server.add_insecure_port(address)
            else:
                credentials = grpc.ssl_server_credentials([(private_key, certificate)])
                port = server.add_secure_port(address, credentials)
        except RuntimeError as error:
            detail = "is taken, or is not this machine's: name another"
            raise ConfigValueError(f"listen {self._listening.address}", detail) from error
        if self._socket is not None:
            self._socket.move_into_place()
        return port
