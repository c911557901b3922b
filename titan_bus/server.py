"""The server, or the servers, behind a bus's URL: every connection of a bus is made here."""

from titan_bus.channel import Channel
from titan_bus.config import BusConfig
from titan_bus.connection import Connection
from titan_bus.endpoint import Endpoint


class Server:
    """Makes the connections of one bus.

    Attributes:
        connection: the shared one, for everything that does not block.
    """

    def __init__(self, config: BusConfig) -> None:
        self._endpoint = Endpoint.parse(config.url)
        self.connection = Connection(self._endpoint, config.patience_s)

    async def open(self) -> None:
        """Connect.

        Raises:
            BusUnavailableError: the server does not answer now.
        """
        await self.connection.open()

    async def close(self) -> None:
        """Close the shared connection; channels are closed by those who read them."""
        await self.connection.close()

    def channel(self, stream: str) -> Channel:  # noqa: ARG002 -- one server has all streams
        """Return a connection for one reader that blocks on this stream, and on others of the same shard."""
        return Channel(self._endpoint)

    def shard(self, topic: str) -> str:  # noqa: ARG002
        """Return a name that is the same for topics which one command may read together."""
        return ""
