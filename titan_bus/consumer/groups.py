"""The consumer groups of one subscription: made where they are missing, at the start and after a loss."""

from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError


class Groups:
    """One group on its streams; the first stream is the topic's, the second the one of what is tried again.

    Args:
        start: where a group begins on the topic that has none yet.
    """

    def __init__(self, connection: Connection, group: str, streams: tuple[str, str], start: str) -> None:
        self._connection = connection
        self._group = group
        self._streams = streams
        self._start = start

    async def create(self) -> bool:
        """Create the groups that are missing; returns whether there were any.

        Raises:
            BusUnavailableError: the server does not answer now.
            ServerRefusedError: it does not let us, or the key is no stream.
        """
        created = [await self._create(*at) for at in zip(self._streams, (self._start, "0"), strict=True)]
        self._start = "0"  # should the group vanish from now on, its successor misses nothing
        return any(created)

    async def _create(self, stream: str, start: str) -> bool:
        try:
            await self._connection.call("XGROUP", "CREATE", stream, self._group, start, "MKSTREAM")
        except ServerRefusedError as error:
            # A server that is full refuses before it looks whether the group is there.
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
