"""A channel for streams on several nodes of a cluster: one channel for each slot, read concurrently."""

import asyncio
from collections.abc import Iterable
from typing import Any

from titan_bus.connections.channel import Channel
from titan_bus.connections.cluster import Cluster, SlotDialer
from titan_bus.connections.connection import ignore_failure
from titan_bus.connections.keys import Word
from titan_bus.connections.slots import slot_of, slot_of_command
from titan_bus.errors import BusUnavailableError


class ShardedChannel(Channel):
    """Returns to XREAD the first reply of any slot.

    The reads of the other slots continue and answer a later call, which must be the same command.
    """

    def __init__(self, cluster: Cluster, streams: Iterable[str], prefix: str = "") -> None:
        super().__init__(cluster, prefix)
        streams = [prefix + stream for stream in streams]
        self._shards = {slot_of(stream): Channel(SlotDialer(cluster, stream)) for stream in streams}
        self._reads: dict[int, tuple[tuple[Word, ...], asyncio.Task[Any]]] = {}

    async def _call(self, words: tuple[Word, ...], block_s: float) -> Any:
        """Send a command to the node of its stream, or an XREAD to those of all its streams.

        Raises:
            BusUnavailableError: a node is lost or silent, or this was closed, and no other node has a reply.
            ServerRefusedError: a node answers with an error.
        """
        if words[0] != "XREAD":
            return await self._shards[slot_of_command(words) or 0].call(*words, block_s=block_s)
        if self._closed:
            raise BusUnavailableError(self._endpoint.address, "closed")
        for slot, command in _split(words).items():
            if slot in self._reads and self._reads[slot][0] == command:
                continue
            if slot in self._reads:
                self._reads[slot][1].cancel()
            reading = asyncio.create_task(
                self._shards[slot].call(*command, block_s=block_s), name=f"titan_bus read of slot {slot}"
            )
            reading.add_done_callback(ignore_failure)
            self._reads[slot] = command, reading
        await asyncio.wait([read for _, read in self._reads.values()], return_when=asyncio.FIRST_COMPLETED)
        return self._answers()

    def close(self) -> None:
        """Close the connections for good; a call in progress fails."""
        super().close()
        for _, reading in self._reads.values():
            reading.cancel()
        for shard in self._shards.values():
            shard.close()

    def _answers(self) -> list[Any]:
        found: list[Any] = []
        trouble: BaseException | None = None
        for slot, (_, reading) in tuple(self._reads.items()):
            if not reading.done():
                continue
            del self._reads[slot]
            if reading.cancelled():
                trouble = BusUnavailableError(self._endpoint.address, "closed")
            elif (error := reading.exception()) is not None:
                trouble = error
            else:
                found += reading.result() or ()
        if trouble is not None and not found:
            raise trouble
        return found


def _split(words: tuple[Word, ...]) -> dict[int, tuple[Word, ...]]:
    """Split an XREAD by slot."""
    start = words.index("STREAMS") + 1
    count = (len(words) - start) // 2
    parts: dict[int, tuple[list[Word], list[Word]]] = {}
    for stream, after in zip(words[start : start + count], words[start + count :], strict=True):
        streams, places = parts.setdefault(
            slot_of(stream if isinstance(stream, bytes) else str(stream)), ([], [])
        )
        streams.append(stream)
        places.append(after)
    return {slot: (*words[:start], *streams, *places) for slot, (streams, places) in parts.items()}
