"""Two workers of one name."""

import asyncio
import sys
from pathlib import Path
from signal import SIGTERM

import pytest

from tests.titan_bus.conftest import until
from titan_bus import Bus, BusConfig, acl, names
from titan_bus.cli import worker_name
from titan_bus.cli.failures import CommandError
from titan_bus.cli.worker_name import WorkerName
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint

from .conftest import Run
from .test_serve import MODULE, WAIT_S, Program, next_line


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `shop` in the folder where programs start, and this one stands."""
    (tmp_path / "shop.py").write_text(MODULE.format(topic=topic), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)


def named(raw: Connection, topic: str, consumer: str = "w", wait_s: float = 0.05) -> WorkerName:
    """A name in the group `g` that is renewed three times a second."""
    return WorkerName(raw, consumer, [(topic, "g")], wait_s, ttl_s=1.0)


@pytest.mark.by_url
async def test_a_second_worker_of_a_name_is_refused(
    titan_bus: Run, program: Program, bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4, with the cure, while the first works on; one with a name of its own works beside it."""
    with program("serve", "shop:handlers") as worker:
        await bus.publish(topic, "e", {})
        next_line(worker, "begun")
        monkeypatch.setattr(worker_name, "TTL_S", 0.0)
        monkeypatch.setattr(worker_name, "MARGIN_S", 0.05)
        done = await titan_bus("serve", "shop:handlers", "--drain", "0")
        assert (done.status, done.out) == (4, "")
        assert "another worker is named shop@" in done.err
        assert "--consumer" in done.err
        next_line(worker, "done")
        with program("serve", "shop:handlers", "--consumer", "another") as beside:
            assert beside.stderr is not None
            while "serving" not in beside.stderr.readline():
                pass
            beside.send_signal(SIGTERM)
            beside.communicate(timeout=WAIT_S)
        worker.send_signal(SIGTERM)
        worker.communicate(timeout=WAIT_S)
    assert (beside.returncode, worker.returncode) == (0, 0)


async def test_a_worker_that_was_killed_starts_again(
    program: Program, bus: Bus, raw: Connection, topic: str
) -> None:
    """It says what it waits for, takes the name when the dead one's lease has run out, and its event with it."""
    event_id = await bus.publish(topic, "e", {"takes_s": 60})
    with program("serve", "shop:handlers", "--consumer", "w") as worker:
        next_line(worker, "begun")
        worker.kill()
        worker.communicate(timeout=WAIT_S)
    mark = names.worker_of("w", "g", topic)
    assert 0 < await raw.call("PTTL", mark) <= worker_name.TTL_S * 1000
    with program("serve", "shop:handlers", "--consumer", "w", "--drain", "0") as worker:
        assert worker.stderr is not None
        assert "the name w is still taken" in worker.stderr.readline()
        await raw.call("PEXPIRE", mark, 1)
        assert event_id in next_line(worker, "begun")
        worker.send_signal(SIGTERM)
        worker.communicate(timeout=WAIT_S)
    assert await raw.call("EXISTS", mark) == 0


async def test_a_name_is_kept_as_long_as_its_worker_lives(raw: Connection, topic: str) -> None:
    """Longer than a lease, also when the server lost it meanwhile; and it is free as soon as the worker ends."""
    mark = names.worker_of("w", "g", topic)
    async with named(raw, topic).held():
        await asyncio.sleep(1.2)  # a lease and more
        with pytest.raises(CommandError, match="another worker is named w"):
            async with named(raw, topic).held():
                pass
        await raw.call("DEL", mark)
        await until(lambda: raw.call("EXISTS", mark), "the name is taken again")
        async with named(raw, topic, "another").held():
            pass
    async with named(raw, topic, wait_s=0).held():
        pass
    assert await raw.call("EXISTS", mark) == 0


async def test_a_successor_waits_for_the_end_of_the_last_one(raw: Connection, topic: str) -> None:
    """A worker that drains when the next one starts does not keep it from starting."""
    first, second = named(raw, topic), named(raw, topic, wait_s=WAIT_S)
    waiting = asyncio.Event()

    async def succeed() -> None:
        waiting.set()
        async with second.held():
            pass

    async with first.held():
        succeeding = asyncio.create_task(succeed())
        await waiting.wait()
        await asyncio.sleep(0.05)
        assert not succeeding.done()
    await succeeding


async def test_who_lost_its_name_is_told(
    raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that stood still until another took its name says so, once, and takes nothing from that one."""
    mark = names.worker_of("w", "g", topic)
    async with named(raw, topic).held():
        await raw.call("SET", mark, "another", "PX", 60_000)
        await until(lambda: "took the name w" in caplog.text, "the loss is told")
        await asyncio.sleep(0.5)
    assert len(caplog.records) == 1
    assert await raw.call("GETDEL", mark) == b"another"


@pytest.mark.parametrize("groups", [["g"], []])
async def test_the_printed_rights_are_enough(
    raw: Connection,
    redis_url: str,
    topic: str,
    caplog: pytest.LogCaptureFixture,
    groups: list[str],
) -> None:
    """A user with a worker's rights holds its name; one that may not works without, and its log says so."""
    [line] = acl.rules(topic, "secret", publishes=["t"], subscribes=[(topic, group) for group in groups])
    await raw.call(*line.split())
    scheme, _, rest = redis_url.partition("://")
    config = BusConfig(url=f"{scheme}://{topic}:secret@{rest.rpartition('@')[2]}")
    connection = Connection(Endpoint.parse(config.url), 5.0)
    await connection.open()
    async with named(connection, topic).held():
        assert await raw.call("EXISTS", names.worker_of("w", "g", topic)) == len(groups)
    assert ("nobody sees to it" in caplog.text) == (not groups)
    await connection.close()
    await raw.call("ACL", "DELUSER", topic)
