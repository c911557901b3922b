"""A lease is one program's at a time."""

import asyncio

import pytest

from titan_bus import Bus, new_ulid
from titan_bus.connections.connection import Connection
from titan_bus.lease import Lease


async def test_one_holds_it_at_a_time(raw: Connection) -> None:
    """A second one is refused while the first holds it, and gets it afterwards."""
    key = new_ulid()
    first, second = Lease(raw, key), Lease(raw, key)
    async with first.held(wait=False) as held, second.held(wait=False) as refused:
        assert (held, refused) == (True, False)
    async with second.held(wait=False) as held:
        assert held
    assert await raw.call("EXISTS", key) == 0


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_cancelled_while_taking_it_leaves_it_free(bus: Bus, raw: Connection, turns: int) -> None:
    """At whatever step acquiring is cancelled, the next one need not wait until the lease runs out."""
    key = new_ulid()

    async def hold() -> None:
        async with Lease(bus._connection, key).held(wait=False):
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    for _ in range(turns):
        await asyncio.sleep(0)
    holding.cancel()
    await asyncio.wait([holding])
    async with Lease(raw, key).held(wait=False) as held:
        assert held
