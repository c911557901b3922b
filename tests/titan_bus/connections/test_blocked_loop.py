"""A loop that stands still for longer than any patience: what came meanwhile is read before silence is judged."""

import asyncio
import time

import msgspec
import pytest

from titan_bus import Bus, BusConfig, BusUnavailableError, Event, names, running_time
from titan_bus.connections import connection, endpoint
from titan_bus.connections.connection import Connection
from titan_bus.running_time import Countdown, Steps

BLOCKED_S = 0.35
"""Longer than a step and every patience here."""


@pytest.fixture
async def hasty(config: BusConfig, monkeypatch: pytest.MonkeyPatch) -> Bus:
    monkeypatch.setattr(connection, "WATCH_S", 0.1)
    monkeypatch.setattr(running_time, "STEP_S", 0.1)
    return Bus(msgspec.structs.replace(config, patience_s=0.05))


@pytest.mark.parametrize("turns", [0, 3])
async def test_a_publish_outlives_a_blocked_loop(
    hasty: Bus, raw: Connection, topic: str, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent or not yet sent when the loop stopped, the event is stored once, and its publish says so."""
    monkeypatch.setattr(connection, "REPLY_TIMEOUT_S", 0.2)
    async with hasty as bus:
        changes: list[bool] = []
        bus.on_connection(changes.append)
        futures = [bus.publish(topic, "e", {"n": n}) for n in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(BLOCKED_S)  # noqa: ASYNC251 -- the fault
        assert len(await asyncio.gather(*futures)) == 3
        assert await raw.call("XLEN", names.stream_of(topic)) == 3
        assert changes == []


async def test_a_request_outlives_a_blocked_loop(hasty: Bus, config: BusConfig, topic: str) -> None:
    """The answer that came while the requester stood still is its answer, though the deadline has passed."""
    asked = asyncio.Event()

    async def answer(_: Event) -> dict[str, int]:
        asked.set()
        return {"n": 1}

    async with Bus(config) as responder, hasty as bus:
        await responder.subscribe(topic, "g", answer)
        await bus.request(topic, "q", {})  # the stream of replies is read from now on
        asked.clear()
        asking = asyncio.create_task(bus.request(topic, "q", {}, dict, timeout_s=0.2))
        await asked.wait()
        time.sleep(BLOCKED_S)  # noqa: ASYNC251 -- the fault
        assert await asking == {"n": 1}


async def test_a_start_outlives_a_blocked_loop(hasty: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answered while the loop stood still is no server that is away."""
    monkeypatch.setattr(endpoint, "CONNECT_TIMEOUT_S", 0.2)
    opening = asyncio.create_task(hasty.open())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(BLOCKED_S)  # noqa: ASYNC251 -- the fault
    await opening
    await hasty.close()


async def test_a_server_that_is_silent_is_still_given_up(hasty: Bus, topic: str) -> None:
    """A loop that stands still again and again makes a publish wait longer, and not for ever."""
    async with hasty as bus:
        await bus.publish(topic, "e", {})
        assert bus._connection._wire is not None
        assert bus._connection._wire._transport is not None
        silent = bus._connection._wire._transport
        silent.pause_reading()  # type: ignore[attr-defined]  # asyncio's own stubs say BaseTransport
        future = bus.publish(topic, "e", {})
        while not future.done():
            time.sleep(BLOCKED_S)  # noqa: ASYNC251 -- the fault
            await asyncio.sleep(0.001)
        with pytest.raises(BusUnavailableError):
            await future
        silent.abort()


def test_a_step_that_was_held_up_does_not_count() -> None:
    """Nor does every second one of a loop that is always late, whose waiting has to end as well."""
    steps = Steps()
    assert [steps.counted_s(0.5, late_s) for late_s in (0.0, 0.05, 60.0, 0.0)] == [0.5, 0.5, 0.0, 0.5]
    assert [steps.counted_s(0.5, 60.0) for _ in range(4)] == [0.0, 0.5, 0.0, 0.5]


async def test_a_countdown_may_be_cancelled() -> None:
    """It does not call back then."""
    called: list[int] = []
    countdown = Countdown(0.0, lambda: called.append(1))
    countdown.cancel()
    await asyncio.sleep(0.01)
    assert called == []


async def test_a_countdown_waits_for_what_came() -> None:
    """One that ended while the loop stood still goes on for a moment: the reply may be in the socket."""
    called = asyncio.Event()
    Countdown(0.05, called.set)
    time.sleep(BLOCKED_S)  # noqa: ASYNC251 -- the fault
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not called.is_set()
    await called.wait()
