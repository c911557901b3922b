"""An erasure that is killed loses nothing else, and the next one finishes it."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.bytes_in_files import holding
from tests.titan_bus.archives import ALWAYS, cut, ids
from tests.titan_bus.conftest import Server
from titan_bus import Bus, names
from titan_bus.connections.connection import Connection
from titan_bus.deadletter import origin_of, pack

from .conftest import STREAM, TOPIC


@pytest.mark.timeout(300)
async def test_an_erasure_may_be_killed_before_any_step(
    bus: Bus, raw: Connection, server: Server, folder: Path
) -> None:
    """Each time the others are all there, once; and erased again, the event is in no file."""
    kept: list[str] = []
    for step in range(1, 100):
        secret = f"never-to-be-read-again-number-{step:03}"
        some = [await bus.publish(TOPIC, "said", {"text": text}) for text in ("before", secret, "after")]
        kept += [some[0], some[2]]
        fields = (await raw.call("XREVRANGE", STREAM, "+", "-", "COUNT", 2))[1][1]
        await raw.call("ZADD", names.delayed_of("g", TOPIC), 4_000_000_000_000, fields[1])
        for stream, words in (
            (names.retries_of("g", TOPIC), fields),
            (names.DEAD_LETTERS, pack(origin_of(ValueError("x"), STREAM, "g", b"1-1"), fields)),
        ):
            await raw.call("XADD", stream, "*", *words)
            await raw.call("XADD", stream, "*", "any", "thing")
        if step == 1:
            await raw.call("XGROUP", "CREATE", STREAM, "g", "0")
        await bus.archive_now()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.titan_bus.erasure.eraser_child",
            server.url, str(folder), str(step), some[1],
        )  # fmt: skip
        ended = await child.wait()
        await raw.call("DEL", names.ARCHIVE_LEASE)  # it would run out in 30 s
        now = await ids(bus.replay(ALWAYS, TOPIC))
        assert [event_id for event_id in now if event_id != some[1]] == kept
        assert (await bus.erase(some[1])).complete
        assert holding(secret, server.socket.parent, folder) == []
        assert await ids(bus.replay(ALWAYS, TOPIC)) == kept
        assert await raw.call("XLEN", names.retries_of("g", TOPIC)) == step
        assert await bus.dead_letters.count() == step
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert step > 20
    await cut(raw, TOPIC, 0)
    assert await ids(bus.replay(ALWAYS, TOPIC)) == kept
    assert await raw.call("EXISTS", names.erasing(STREAM)) == 0
