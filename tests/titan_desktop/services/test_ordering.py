"""Turns for paths."""

import asyncio

from titan_desktop.services.indexing.ordering import PathOrder


async def test_same_path_in_order_of_arrival_others_side_by_side() -> None:
    """Turns on one path and on a folder above it follow each other; a stranger waits for nobody."""
    order, log, gates = PathOrder(), [], {name: asyncio.Event() for name in "12345"}

    async def take(name: str, path: str, *, folder: bool = False) -> None:
        async with order.turn(path, folder=folder):
            log.append(name)
            await gates[name].wait()

    async with asyncio.TaskGroup() as group:
        for name, path, folder in (
            ("1", "/d/a.txt", False),
            ("2", "/d", True),
            ("3", "/d/a.txt", False),
            ("4", "/dd/a.txt", False),
            ("5", "/d/b.txt", False),
        ):
            group.create_task(take(name, path, folder=folder))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert log == ["1", "4"]
        assert len(order) == 5
        for gate in gates.values():
            gate.set()
    assert log == ["1", "4", "2", "3", "5"]
    assert len(order) == 0


async def test_a_cancelled_turn_lets_the_next_one_go() -> None:
    """Who gives up waiting does not hold up those behind, and those behind still wait for who is before."""
    order = PathOrder()
    first = order.turn("/d/a")
    await first.__aenter__()

    async def take() -> None:
        async with order.turn("/d/a"):
            pass

    second, third = asyncio.create_task(take()), asyncio.create_task(take())
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    assert not third.done()
    await first.__aexit__(None, None, None)
    await third
