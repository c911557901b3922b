"""The server, or the servers, of a bus's URL: every connection of a bus is created here.

One server (`endpoint`), a primary found through Sentinel (`sentinel`), or a cluster (`cluster`).
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from titan_bus.config import BusConfig
from titan_bus.connections.access import Credentials
from titan_bus.connections.channel import Channel
from titan_bus.connections.cluster import Cluster, SlotDialer
from titan_bus.connections.cluster_connection import ClusterConnection
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Dialer, Endpoint
from titan_bus.connections.replicated import ReplicatedConnection
from titan_bus.connections.sentinel import Sentinel
from titan_bus.connections.server_info import check_version
from titan_bus.connections.sharded_channel import ShardedChannel
from titan_bus.connections.slots import slot_of


class Server:
    """Creates the connections of one bus.

    Attributes:
        connection: the shared one, for all commands that do not block.
        publishing: the one for publishes: the same, or with `replicas` a separate one, because WAIT blocks the
            commands behind it.
    """

    def __init__(self, config: BusConfig, credentials: Credentials | None = None) -> None:
        self._prefix = config.prefix
        url, scheme = config.url, config.url.partition("://")[0]
        self._sentinel = Sentinel.parse(url, credentials) if scheme.endswith("+sentinel") else None
        self._cluster = Cluster.parse(url, credentials) if scheme.endswith("+cluster") else None
        self._dialer: Dialer = self._sentinel or self._cluster or Endpoint.parse(url, credentials)
        self.connection = self.publishing = self._connection(config.patience_s, Connection)
        if config.replicas:
            self.publishing = self._connection(
                config.patience_s, partial(ReplicatedConnection, replicas=config.replicas)
            )

    async def open(self) -> None:
        """Connect.

        Raises:
            BusUnavailableError: the server does not answer now.
            ServerTooOldError: it is older than Redis 7.0.
        """
        try:
            for connection in self._connections():
                await connection.open()
            await check_version(self.connection)
        except BaseException:
            await self.close()
            raise
        if self._sentinel is not None:
            self._sentinel.start()

    async def drain(self) -> None:
        """Wait until every command is answered or has failed."""
        for connection in self._connections():
            await connection.drain()

    async def close(self) -> None:
        """Close the shared connections; channels are closed by their readers."""
        for connection in self._connections():
            await connection.close()
        if self._sentinel is not None:
            await self._sentinel.close()

    def channel(self, *streams: str) -> Channel:
        """Return a connection for one reader that blocks on these streams, and on others of the same shard.

        Raises:
            NameMalformedError: a stream's name cannot be encoded.
        """
        slots = {slot_of(self._prefix + stream) for stream in streams}
        if self._cluster is None or not streams:
            return Channel(self._dialer, self._prefix)
        if len(slots) > 1:
            return ShardedChannel(self._cluster, streams, self._prefix)
        return Channel(SlotDialer(self._cluster, self._prefix + streams[0]), self._prefix)

    def unblock(self, stream: str, client_id: int) -> asyncio.Future[Any]:
        """End the blocking read of a channel for this stream, by its CLIENT ID, as a timeout would."""
        words = ("CLIENT", "UNBLOCK", client_id)
        if isinstance(self.connection, ClusterConnection):
            return self.connection.call_beside(stream, *words)
        return self.connection.call(*words)

    def shard(self, topic: str) -> str:
        """Return a key that is equal for topics which one command may read together."""
        return topic if self._cluster is not None else ""

    def _connection(self, patience_s: float, connect: Callable[[Dialer, float], Connection]) -> Connection:
        if self._cluster is not None:
            connection: Connection = ClusterConnection(self._cluster, patience_s, connect)
        else:
            connection = connect(self._dialer, patience_s)
        connection.prefix = self._prefix
        return connection

    def _connections(self) -> list[Connection]:
        return list(dict.fromkeys((self.connection, self.publishing)))
