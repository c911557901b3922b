"""`titan-bus erase`."""

import asyncio
import os
import pty
from pathlib import Path

import pytest

from tests.titan_bus.archives import ALWAYS, ids, publish
from tests.titan_bus.conftest import Server
from titan_bus import Bus, BusConfig

from .conftest import PROGRAM, ROOT, Run

NOWHERE = "01J00000000000000000000000"


@pytest.fixture
def told(server: Server, tmp_path: Path) -> tuple[str, ...]:
    """A file that names a server of this test's own, and an archive."""
    path = tmp_path / "bus.yaml"
    path.write_text(f"redis: {{url: '{server.url}'}}\narchive: {{target: '{tmp_path / 'kept'}'}}\n", "utf-8")
    return "--config", str(path)


async def test_what_was_erased_is_told(titan_bus: Run, server: Server, told: tuple[str, ...]) -> None:
    """As a table, or as one record; an id that is nowhere is said, and is "some of it failed"."""
    async with Bus(BusConfig(url=server.url)) as bus:
        sent = await publish(bus, "t.v1", 4)
        await titan_bus("archive", *told)
        shown = await titan_bus("erase", sent[0], "--yes", *told)
        assert (shown.status, shown.err) == (0, "")
        assert [line.split() for line in shown.out.splitlines()[1:]] == [
            [sent[0], "t.v1", "archive", "1"], [sent[0], "t.v1", "stream", "1"],
        ]  # fmt: skip
        done = await titan_bus("erase", sent[1], NOWHERE, "--topic", "t.v1", "--yes", "--json", *told)
        assert (done.status, done.err) == (1, f"titan-bus: {NOWHERE} is nowhere.\n")
        (record,) = done.records
        assert (record["complete"], record["missing"]) == (True, [NOWHERE])
        assert [one["place"] for one in record["found"]] == ["archive", "stream"]
        assert [(one["aof"], one["snapshot"]) for one in record["files"]] == [("rewritten", "off")]
        assert await ids(bus.replay(ALWAYS, "t.v1")) == sent[2:]


async def test_an_archive_is_not_forgotten(titan_bus: Run, server: Server, told: tuple[str, ...]) -> None:
    """Where the server is archived the command has to know where to."""
    async with Bus(BusConfig(url=server.url)) as bus:
        sent = await publish(bus, "t.v1", 1)
        await titan_bus("archive", *told)
        done = await titan_bus("erase", *sent, "--yes", "--url", server.url)
        assert (done.status, done.out, done.err.count("\n")) == (4, "", 1)
        assert await ids(bus.replay(ALWAYS, "t.v1")) == sent


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
async def test_it_asks_on_a_terminal(server: Server, tmp_path: Path, answer: bytes, left: int) -> None:
    """Anything but yes erases nothing."""
    async with Bus(BusConfig(url=server.url)) as bus:
        sent = await publish(bus, "t.v1", 1)
        terminal, their_end = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "--url", server.url, "erase", *sent,
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, stdin=their_end, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        os.close(their_end)
        os.write(terminal, answer)
        _, err = await process.communicate()
        os.close(terminal)
        assert b"Erase 1 events for good?" in err
        assert process.returncode == (1 if left else 0)
        assert len(await ids(bus.replay(ALWAYS, "t.v1"))) == left


async def test_a_script_has_to_mean_it(titan_bus: Run, told: tuple[str, ...]) -> None:
    """Where nobody can be asked it needs --yes; and it needs an id."""
    assert (await titan_bus("erase", NOWHERE, *told)).status == 2
    assert (await titan_bus("erase", "--yes", *told)).status == 2
