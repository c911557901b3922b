"""The newest page of each conversation in Redis: `ports.cache.RecentCache`.

One hash a conversation: `page` (JSON) and `generation`, which every change counts up. A reader that loads a page
while the conversation changes carries an old generation, and its page is not kept. While Redis is down a page
cannot be dropped, so what should have been dropped is remembered and not served before it is.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from titan_desktop.contracts.chat import HistoryPage
from titan_desktop.ports.cache import Cached
from titan_desktop.system.outage import Outage

TTL_S = 3600
"""Also the generation's: it outlives every reader that still carries it."""
TIMEOUT_S = 0.25
PAUSE_S = 5.0
"""After a failure the cache is left alone for so long: a dead one costs one timeout, not one a question."""
PAGE_BYTES_MAX = 512_000
FORMAT = 2
"""Counted up when a message gets a field whose default would be wrong for an older page."""

_PUT = """
if (redis.call('HGET', KEYS[1], 'generation') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'page', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_DROP = """
redis.call('HDEL', KEYS[1], 'page')
redis.call('HINCRBY', KEYS[1], 'generation', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""

_log = logging.getLogger(__name__)
_page = msgspec.json.Decoder(HistoryPage)


class RedisRecentCache:
    """`RecentCache` over a Redis URL. Connects with its first use."""

    def __init__(self, url: str, *, ttl_s: int = TTL_S) -> None:
        self._ttl_s = ttl_s
        self._client = redis.asyncio.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._undropped: set[str] = set()
        self._silent_until = 0.0
        self._outage = Outage(_log, "the cache of recent messages")

    async def get(self, conversation_id: str) -> Cached:
        """See `RecentCache.get`."""
        if conversation_id in self._undropped:
            await self.drop(conversation_id)
            if conversation_id in self._undropped:
                return Cached(None, "")
        found = await self._ask(lambda: self._client.hmget(_name(conversation_id), ["page", "generation"]))
        if found is None:
            return Cached(None, "")
        content, generation = found
        ticket = generation.decode() if generation else "0"
        try:
            page = _page.decode(content) if content else None
        except msgspec.DecodeError:  # written by another version of Titan
            page = None
        return Cached(page, ticket)

    async def put(self, page: HistoryPage, ticket: str) -> None:
        """See `RecentCache.put`."""
        content = msgspec.json.encode(page)
        if ticket and len(content) <= PAGE_BYTES_MAX:
            await self._ask(
                lambda: self._client.eval(
                    _PUT, 1, _name(page.conversation_id), ticket, content, str(self._ttl_s)
                )
            )

    async def drop(self, conversation_id: str) -> None:
        """See `RecentCache.drop`."""
        self._undropped.add(conversation_id)
        done = await self._ask(lambda: self._client.eval(_DROP, 1, _name(conversation_id), str(self._ttl_s)))
        if done is not None:
            self._undropped.discard(conversation_id)

    async def close(self) -> None:
        """See `RecentCache.close`."""
        await self._client.aclose()

    async def _ask(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """Return the reply, or None when the cache is down or was a moment ago.

        Shielded: redis-py leaves the reply of a cancelled command on its connection, and the next command there
        would get it, the page of another conversation.
        """
        if time.monotonic() < self._silent_until:
            return None
        return await asyncio.shield(self._answered(command))

    async def _answered(self, command: Callable[[], Awaitable[Any]]) -> Any:
        try:
            answer = await command()
        except (RedisError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE_S
            self._outage.begins(error, foreseen=True)
            return None
        self._outage.ends()
        return answer


def _name(conversation_id: str) -> str:
    return f"titan:recent:{FORMAT}:{conversation_id}"
