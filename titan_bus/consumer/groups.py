"""Creates the consumer groups of one subscription where they are missing, at the start and after a loss."""

from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError


class Groups:
    """One group on two streams: the topic's, then the group's retry stream.

    Args:
        start: the entry id at which the group begins on a topic where it does not exist yet.
    """

    def __init__(self, connection: Connection, group: str, streams: tuple[str, str], start: str) -> None:
        self._connection = connection
        self._group = group
        self._streams = streams
        self._start = start

    async def create(self) -> bool:
        """Create the groups that are missing. Returns whether there were any.

        Raises:
            BusUnavailableError: the server does not answer now.
            ServerRefusedError: the rights are missing, or the key is not a stream.
        """
        created = [await self._create(*at) for at in zip(self._streams, (self._start, "0"), strict=True)]
        self._start = "0"  # a group that vanishes later is created from the beginning, and misses nothing
        return any(created)

    async def _create(self, stream: str, start: str) -> bool:
        try:
            await self._connection.call("XGROUP", "CREATE", stream, self._group, start, "MKSTREAM")
        except ServerRefusedError as error:
            # A server out of memory refuses before it checks whether the group exists.
            if error.code == "BUSYGROUP" or (error.code == "OOM" and await self._exists(stream)):
                return False
            raise
        return True

    async def _exists(self, stream: str) -> bool:
        try:
            await self._connection.call("XPENDING", stream, self._group)
        except ServerRefusedError:
            return False
        return True
