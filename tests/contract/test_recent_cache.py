"""One suite for every RecentCache: it never serves what has changed."""

import asyncio

import pytest

from tests.contract.pages import page
from titan_desktop.ports.cache import RecentCache


@pytest.mark.by_url
async def test_what_was_put_is_got(cache: RecentCache) -> None:
    missed = await cache.get("c")
    assert missed.page is None
    await cache.put(page(), missed.ticket)
    assert (await cache.get("c")).page == page()
    assert (await cache.get("other")).page is None


async def test_a_page_that_was_read_before_a_change_is_not_kept(cache: RecentCache) -> None:
    missed = await cache.get("c")
    await cache.drop("c")
    await cache.put(page("old"), missed.ticket)
    again = await cache.get("c")
    assert again.page is None
    await cache.put(page("new"), again.ticket)
    assert (await cache.get("c")).page == page("new")


@pytest.mark.by_url
async def test_a_dropped_page_is_gone(cache: RecentCache) -> None:
    await cache.put(page(), (await cache.get("c")).ticket)
    await cache.drop("c")
    assert (await cache.get("c")).page is None


@pytest.mark.by_url
async def test_cancelled_readers_leave_no_reply_behind_for_the_next(cache: RecentCache) -> None:
    for name in ("a", "b"):
        await cache.put(page(name, name), (await cache.get(name)).ticket)
    for _ in range(50):
        reader = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert (await cache.get("b")).page == page("b", "b")
