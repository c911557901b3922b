"""`titan-bus archive`, `restore`, and `replay` from the archive."""

from collections.abc import Callable
from pathlib import Path
from signal import SIGINT
from subprocess import Popen

import pytest

from tests.titan_bus.conftest import Recorder, Server, pending_is
from titan_bus import Bus, BusConfig, names
from titan_bus.connections.connection import Connection

from .conftest import Run

WAIT_S = 20


@pytest.fixture
def config_file(server: Server, tmp_path: Path) -> str:
    """A file that names a server of this test's own, and an archive."""
    path = tmp_path / "bus.yaml"
    path.write_text(f"redis: {{url: '{server.url}'}}\narchive: {{target: '{tmp_path / 'kept'}'}}\n", "utf-8")
    return str(path)


async def test_what_was_archived_comes_back(titan_bus: Run, server: Server, config_file: str) -> None:
    """archive, an empty server, restore: the same events under their own ids, and the counts are told."""
    told = ("--config", config_file, "--json")
    published = [(await titan_bus("publish", "t.v1", "e", *told)).records[0]["event_id"] for _ in range(3)]
    (done,) = (await titan_bus("archive", *told)).records
    assert (done["entries"], done["segments"]) == (3, 1)
    refused = await titan_bus("restore", *told)
    assert (refused.status, refused.err.count("\n")) == (5, 1)
    assert "--newer-only" in refused.err
    async with Bus(BusConfig(url=server.url)) as bus:
        await bus._connection.call("FLUSHALL")
    assert [e["event_id"] for e in (await titan_bus("replay", "t.v1", *told)).records] == published
    assert (await titan_bus("restore", *told)).records[0]["entries"] == 3
    async with Bus(BusConfig(url=server.url)) as bus:
        assert [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", "t.v1")] == published


async def test_restore_is_shown_to_people(titan_bus: Run, config_file: str, tmp_path: Path) -> None:
    """As a table; an empty archive, or a topic that is not in it, is "nothing found"."""
    told = ("--config", config_file)
    await titan_bus("publish", "t.v1", "e", *told)
    assert "1 events in 1 segments" in (await titan_bus("archive", *told)).out
    shown = await titan_bus("restore", "--newer-only", "--since", "2020-01-01", *told)
    assert "t.v1" in shown.out
    unknown = await titan_bus("restore", "--newer-only", "nosuch", "t.v1", *told)
    assert (unknown.status, unknown.out, unknown.err) == (
        1,
        "",
        "titan-bus: there is no nosuch in the archive.\n",
    )
    nothing = await titan_bus("restore", "--target", str(tmp_path / "empty"), *told)
    assert (nothing.status, nothing.out) == (1, "")


async def test_an_archive_has_to_be_named(titan_bus: Run) -> None:
    """By --target or in the file; one that cannot be is said."""
    for command in ("archive", "restore"):
        assert (await titan_bus(command)).status == 2
        assert (await titan_bus(command, "--target", "ftp://x")).status == 4


def test_watching_goes_on_until_ctrl_c(program: Callable[..., Popen[str]], config_file: str) -> None:
    """Each round is told; Ctrl-C ends it."""
    with program("archive", "--watch", "--config", config_file) as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline().startswith("0 events")
        watch.send_signal(SIGINT)
        _, err = watch.communicate(timeout=WAIT_S)
    assert (watch.returncode, err) == (130, "")


async def test_replay_begins_at_an_event_or_at_a_group(
    titan_bus: Run, bus: Bus, raw: Connection, topic: str
) -> None:
    """--id takes that event and what came after it, --group what it has not acknowledged."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, auto_ack=False)
    ids = [await bus.publish(topic, "e", {"n": n}) for n in range(3)]
    await recorder.wait_for(3)
    await bus.ack(ids[0])
    await pending_is(raw, names.stream_of(topic), "g", 2)
    assert [e["event_id"] for e in (await titan_bus("replay", topic, "--id", ids[1])).records] == ids[1:]
    assert [e["event_id"] for e in (await titan_bus("replay", topic, "--group", "g")).records] == ids[1:]
    assert (await titan_bus("replay", topic, "--group", "none")).status == 1
    assert (await titan_bus("replay", topic, "--id", "01J00000000000000000000000")).status == 1
    assert (await titan_bus("replay", topic, "--id", "nonsense")).status == 2
    assert (await titan_bus("replay", topic, "--id", ids[0], "--group", "g")).status == 2
