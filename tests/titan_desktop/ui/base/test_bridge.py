"""What the window hears of the bus."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import QObject

from titan_bus import Bus, BusConfig
from titan_desktop.contracts import chat, files, system
from titan_desktop.contracts.message import BusMessage, event_type, publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.ui.base.bridge import Bridge


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="core@test", streams=STREAMS)) as opened:
        yield opened


@pytest.fixture
async def bridge(qapp: QObject, bus: Bus) -> AsyncIterator[Bridge]:
    made, there = Bridge(), asyncio.Event()
    made.connected.connect(there.set)
    serving = asyncio.create_task(made.serve(bus))
    await asyncio.wait_for(there.wait(), 20)
    yield made
    serving.cancel()
    await asyncio.wait([serving])


def seen(number: int) -> files.FileSeen:
    return files.FileSeen(path=f"/{number}", size=1, mtime_ns=1)


async def test_each_kind_comes_to_those_who_listen_to_it_in_order(bus: Bus, bridge: Bridge) -> None:
    """Whatever else is said on its topic, and however many listen."""
    heard: list[tuple[str, BusMessage]] = []
    done = asyncio.Event()
    bridge.listen(files.FileSeen, lambda said: heard.append(("first", said)))
    bridge.listen(files.FileSeen, lambda said: heard.append(("second", said)))
    bridge.listen(system.CoreReady, lambda _said: done.set())
    for message in (seen(1), files.ScanFinished(job_id="j", seen=2), seen(2)):
        await publish(bus, message)
    await publish(bus, system.CoreReady(pid=1, version="1"))
    await asyncio.wait_for(done.wait(), 20)
    assert heard == [(name, seen(number)) for number in (1, 2) for name in ("first", "second")]


@pytest.mark.logs("is not what it says it is$")
async def test_what_makes_no_sense_and_who_fails_hold_nobody_up(
    bus: Bus, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A malformed message is passed over; what a slot raises goes to the hook for uncaught exceptions."""
    uncaught: list[BaseException | None] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: uncaught.append(error))
    done = asyncio.Event()

    def fail(_said: files.FileSeen) -> None:
        raise LookupError("a slot's own fault")

    bridge.listen(files.FileSeen, fail)
    bridge.listen(chat.UserMessage, lambda _said: done.set())
    bridge.listen(files.FileRemoved, lambda _said: done.set())
    await bus.publish(chat.UserMessage.topic, event_type(chat.UserMessage), {"message": 7})
    await publish(bus, seen(1))
    await publish(bus, files.FileRemoved(path="/1"))
    await asyncio.wait_for(done.wait(), 20)
    assert [str(error) for error in uncaught] == ["a slot's own fault"]
