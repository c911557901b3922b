"""One at a time in each conversation, first come first: what a person asked first is stored and said first."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary


class Order:
    """A queue a conversation. One that nobody stands in is forgotten."""

    def __init__(self) -> None:
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def turn(self, conversation_id: str) -> AsyncIterator[None]:
        """Wait for those who came before; who comes later waits for the end of the block."""
        queue = self._queues.setdefault(conversation_id, asyncio.Lock())  # fair, as asyncio documents
        async with queue:
            yield
