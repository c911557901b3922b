"""The short-term cache in Redis: pages age, and being down costs nothing but speed."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from tests import servers
from tests.contract.pages import page
from titan_desktop.adapters.redis import recent_cache
from titan_desktop.adapters.redis.recent_cache import RedisRecentCache


@pytest.fixture
async def cache(clean_redis_url: str) -> AsyncIterator[RedisRecentCache]:
    cache = RedisRecentCache(clean_redis_url)
    yield cache
    await cache.close()


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
