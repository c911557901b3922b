"""The promise itself, under random kills: what the server acknowledged is handled at least once."""

import asyncio
import contextlib
import random
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.titan_bus import chaos_child
from tests.titan_bus.conftest import Server, until
from titan_bus import names
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint

TOTAL = 100_000
CONSUMERS = ("one", "two")
VICTIMS = ("publisher", "server", *CONSUMERS)
BETWEEN_KILLS_S = (0.0, 0.2)
PATIENCE_S = 60.0


class Children:
    """The processes at work; each may be killed and started again."""

    def __init__(self, server: Server, topic: str, folder: Path) -> None:
        self._server = server
        self._topic = topic
        self.published = folder / "published"
        self.handled = {name: folder / f"handled-{name}" for name in CONSUMERS}
        self._running: dict[str, Process] = {}

    async def start(self, name: str) -> Process:
        role, log, last = (
            ("publish", self.published, str(TOTAL))
            if name == "publisher"
            else ("consume", self.handled[name], name)
        )
        words = ("-m", "tests.titan_bus.chaos_child", role, self._server.url, self._topic, str(log), last)
        self._running[name] = await asyncio.create_subprocess_exec(sys.executable, *words)
        return self._running[name]

    async def kill(self, name: str) -> None:
        child = self._running[name]
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()

    async def kill_all(self) -> None:
        for name in self._running:
            await self.kill(name)

    async def publisher_gets_on(self) -> None:
        """Wait until the publisher has published more, or has ended."""
        before = self._published_bytes()
        await until(
            lambda: self._published_bytes() > before or self._running["publisher"].returncode is not None,
            "the publisher gets on",
            PATIENCE_S,
        )

    def _published_bytes(self) -> int:
        return self.published.stat().st_size if self.published.exists() else 0

    def check(self) -> None:
        """A child that ended by itself, and not by our hand, has failed."""
        ended = {name: child.returncode for name, child in self._running.items() if child.returncode}
        assert not ended, ended

    @property
    def publisher_is_done(self) -> bool:
        return self._running["publisher"].returncode == 0

    @property
    def has_handled_all(self) -> bool:
        return len(self.handled_numbers()) == TOTAL

    def handled_numbers(self) -> Counter[int]:
        return Counter(number for log in self.handled.values() for number in chaos_child.numbers(log))


@pytest.fixture
def dice() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_is_handled_at_least_once(
    server: Server,
    topic: str,
    tmp_path: Path,
    dice: random.Random,
    record_property: Callable[[str, object], None],
) -> None:
    """100,000 events, publisher, consumers and server killed at random: none is missing, the doubles are told."""
    children = Children(server, topic, tmp_path)
    kills: Counter[str] = Counter()
    try:
        for name in ("publisher", *CONSUMERS):
            await children.start(name)
        while not children.publisher_is_done:
            # Everyone's turn comes, in another order each time.
            for victim in dice.sample(VICTIMS, len(VICTIMS)):
                await (
                    children.publisher_gets_on()
                )  # or a slow machine would start programs and do nothing else
                await asyncio.sleep(dice.uniform(*BETWEEN_KILLS_S))
                if victim == "server":
                    server.kill()
                    server.start()
                elif not (victim == "publisher" and children.publisher_is_done):
                    await children.kill(victim)
                    await children.start(victim)
                kills[victim] += 1
        assert sorted(set(chaos_child.numbers(children.published))) == list(range(TOTAL))
        await until(lambda: children.check() or children.has_handled_all, "all numbers handled", PATIENCE_S)
        await _all_is_settled(server, topic)
    finally:
        await children.kill_all()
    doubles = children.handled_numbers().total() - TOTAL
    record_property("kills", dict(kills))
    record_property("doubles", doubles)
    print(f"{TOTAL} events, kills: {dict(kills)}, handled twice or more: {doubles}")
    assert set(kills) == set(VICTIMS)


async def _all_is_settled(server: Server, topic: str) -> None:
    """Wait until nothing is pending: no event hangs without an outcome."""
    connection = await chaos_child.opened(Connection(Endpoint.parse(server.url), 5.0))

    async def nothing_pending() -> bool:
        return int((await connection.call("XPENDING", names.stream_of(topic), "g"))[0]) == 0

    try:
        await until(nothing_pending, "nothing pending")
    finally:
        await connection.close()
