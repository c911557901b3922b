"""The short-term cache: it never serves what has changed, and being down costs nothing but speed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from tests import servers
from titan_desktop.adapters.redis import recent_cache
from titan_desktop.adapters.redis.recent_cache import RedisRecentCache
from titan_desktop.contracts.chat import HistoryPage, Message, Role, State


def page(text: str = "hello", conversation: str = "c") -> HistoryPage:
    message = Message(
        id="q",
        conversation_id=conversation,
        role=Role.USER,
        text=text,
        state=State.COMPLETE,
        created_at="now",
    )
    return HistoryPage(conversation_id=conversation, messages=(message,), more=False)


@pytest.fixture
async def cache(clean_redis_url: str) -> AsyncIterator[RedisRecentCache]:
    cache = RedisRecentCache(clean_redis_url)
    yield cache
    await cache.close()


@pytest.mark.by_url
async def test_what_was_put_is_got(cache: RedisRecentCache) -> None:
    missed = await cache.get("c")
    assert missed.page is None
    await cache.put(page(), missed.ticket)
    assert (await cache.get("c")).page == page()
    assert (await cache.get("other")).page is None


async def test_a_page_that_was_read_before_a_change_is_not_kept(cache: RedisRecentCache) -> None:
    missed = await cache.get("c")
    await cache.drop("c")
    await cache.put(page("old"), missed.ticket)
    again = await cache.get("c")
    assert again.page is None
    await cache.put(page("new"), again.ticket)
    assert (await cache.get("c")).page == page("new")


@pytest.mark.by_url
async def test_a_dropped_page_is_gone(cache: RedisRecentCache) -> None:
    await cache.put(page(), (await cache.get("c")).ticket)
    await cache.drop("c")
    assert (await cache.get("c")).page is None


async def test_a_page_ages(clean_redis_url: str, cache: RedisRecentCache) -> None:
    await cache.put(page(), (await cache.get("c")).ticket)
    async with redis.asyncio.from_url(clean_redis_url) as client:
        assert 0 < await client.ttl(recent_cache._name("c")) <= recent_cache.TTL_S
        await cache.drop("c")
        assert 0 < await client.ttl(recent_cache._name("c")) <= recent_cache.TTL_S


async def test_what_another_version_wrote_is_a_miss(clean_redis_url: str, cache: RedisRecentCache) -> None:
    async with redis.asyncio.from_url(clean_redis_url) as client:
        await client.hset(recent_cache._name("c"), "page", '{"something": "else"}')
    assert (await cache.get("c")).page is None


@pytest.mark.by_url
async def test_cancelled_readers_leave_no_reply_behind_for_the_next(cache: RedisRecentCache) -> None:
    for name in ("a", "b"):
        await cache.put(page(name, name), (await cache.get(name)).ticket)
    for _ in range(50):
        reader = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert (await cache.get("b")).page == page("b", "b")


@pytest.mark.logs(" waits: ")
async def test_a_dead_cache_misses_and_never_raises() -> None:
    cache = RedisRecentCache("unix:///nowhere/v.sock")
    missed = await cache.get("c")
    await cache.put(page(), missed.ticket)
    await cache.drop("c")
    assert missed.page is None
    await cache.close()


@pytest.mark.logs(" waits: ")
async def test_a_change_during_an_outage_is_not_served_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_cache, "PAUSE_S", 0.0)
    with servers.short_folder() as folder:
        with servers.valkey(folder) as url:
            cache = RedisRecentCache(url)
            await cache.put(page("old"), (await cache.get("c")).ticket)
            assert (await cache.get("c")).page == page("old")
        await cache.drop("c")
        assert (await cache.get("c")).page is None
        with servers.valkey(folder):
            assert (await cache.get("c")).page is None
        await cache.close()
