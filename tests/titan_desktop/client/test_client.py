"""Claims about finding, starting and watching the core, with real processes."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace as replace_struct

from tests import servers
from tests.e2e.harness import Titan, cleaned, until
from tests.responders import a_status, system_service
from titan_bus import Bus, BusConfig
from titan_desktop.client import core_record
from titan_desktop.client.connect import CoreUnavailableError, connect_core
from titan_desktop.client.watch import CoreState, watch
from titan_desktop.contracts import system
from titan_desktop.contracts.message import ask
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.system import processes
from titan_desktop.system.file_lock import FileLock


@pytest.fixture(scope="module")
def shared_state() -> Iterator[Path]:
    with servers.short_folder() as folder:
        yield folder / "titan"


@pytest.fixture
def titan(titan_home: Path, shared_state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Titan]:
    monkeypatch.setenv("TITAN_HOME", str(shared_state))
    with cleaned(titan_home) as installed:
        yield installed


def cores(titan: Titan) -> list[psutil.Process]:
    found = []
    for process in titan.processes():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[3:4] == ["core"]:
                found.append(process)
    return found


async def test_two_clients_at_once_share_one_core(titan: Titan) -> None:
    """Both find no core and start one; one of these ends at once, and both clients are connected to the other."""
    heard: list[str] = []
    links = await asyncio.gather(
        *(
            connect_core(titan.paths, source="t", client_id=name, on_progress=heard.append)
            for name in ("a", "b")
        )
    )
    try:
        assert links[0].record == links[1].record
        await until(lambda: len(cores(titan)) == 1, "one core is left")
        assert set(heard) == {"starting", "connecting"}
        for link in links:
            status = await ask(link.bus, system.GetStatus())
            assert status.pid == titan.core_pid()
    finally:
        for link in links:
            await link.close()


async def test_without_leave_to_start_one_a_missing_core_is_a_sentence(titan: Titan) -> None:
    """Asked for a running core only."""
    with pytest.raises(CoreUnavailableError, match="is not running"):
        await connect_core(titan.paths, source="t", client_id="a", spawn=False)
    assert not titan.processes()


async def test_a_core_that_ends_while_it_answers_is_not_taken(titan: Titan, clean_redis_url: str) -> None:
    """A core takes its record away before it stops its services: a client waits for the next core."""
    titan.paths.create()
    record = core_record.CoreRecord(os.getpid(), "0", clean_redis_url)
    core_record.write(titan.paths.core_file, record)

    async def end() -> None:
        titan.paths.core_file.unlink()

    status = replace_struct(a_status(), pid=os.getpid())
    with FileLock(titan.paths.core_lock) as lock:
        assert lock.acquire()
        config = BusConfig(url=clean_redis_url, source="t", streams=STREAMS)
        async with Bus(config) as bus, system_service(bus, status, on_asked=end):
            with pytest.raises(CoreUnavailableError, match="did not answer"):
                await connect_core(titan.paths, source="t", client_id="a", spawn=False, timeout_s=3)


async def test_what_a_dead_core_left_is_no_core(titan: Titan) -> None:
    """core.json of a killed core, whose process id may be somebody else's by now."""
    titan.paths.create()
    stale = core_record.CoreRecord(os.getpid(), "0", "unix:///nowhere")
    core_record.write(titan.paths.core_file, stale)
    async with titan.link() as link:
        assert link.record != stale


async def test_a_core_of_another_version_is_left_alone_until_it_has_gone(titan: Titan) -> None:
    """It would take no command of ours; after its end one of our own is started."""
    async with titan.link() as link:
        core_record.write(titan.paths.core_file, replace(link.record, edition=1))
        with pytest.raises(CoreUnavailableError, match=f"another version .* process {link.record.pid}"):
            await connect_core(titan.paths, source="t", client_id="b", timeout_s=1)
        ours = asyncio.create_task(connect_core(titan.paths, source="t", client_id="b"))
    other = await ours
    assert other.record.pid != link.record.pid
    await other.close()


async def test_a_core_that_ends_at_its_start_is_quoted(titan: Titan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport's URL leads nowhere: the core says so on its standard error, the client passes it on."""
    monkeypatch.setenv("TITAN_REDIS_URL", "redis://:very-secret@127.0.0.1:9")
    with pytest.raises(CoreUnavailableError, match=r"Redis does not answer.*127\.0\.0\.1:9") as caught:
        await connect_core(titan.paths, source="t", client_id="a", timeout_s=20)
    assert "very-secret" not in caught.value.sentence


@pytest.mark.logs("the core has gone; starting another")
async def test_a_watcher_notices_a_death_and_brings_up_another(titan: Titan) -> None:
    """kill -9 of the core: noticed within a second, a new one is up, and then the watch can be left."""
    states: asyncio.Queue[CoreState] = asyncio.Queue()
    watching = asyncio.create_task(watch(titan.paths, source="t", client_id="w", on_state=states.put_nowait))
    try:
        assert (await states.get()).phase == "starting"
        first = await asyncio.wait_for(states.get(), 30)
        assert first.link is not None
        dead = titan.kill_core()
        again = await asyncio.wait_for(states.get(), 1.0)
        assert again.phase == "starting"
        second = await asyncio.wait_for(states.get(), 30)
        assert second.link is not None
        assert second.link.record.pid != dead
    finally:
        watching.cancel()
        await asyncio.wait([watching])
    await titan.gone()


async def test_a_watcher_says_what_is_wrong_and_goes_on(titan: Titan) -> None:
    """A broken settings file: the sentence is heard; when the file is mended the core comes up."""
    titan.paths.create()
    titan.paths.settings_file.write_text("theme = 1\n", "utf-8")
    states: asyncio.Queue[CoreState] = asyncio.Queue()
    watching = asyncio.create_task(watch(titan.paths, source="t", client_id="w", on_state=states.put_nowait))
    try:
        assert (await states.get()).phase == "starting"
        down = await asyncio.wait_for(states.get(), 30)
        assert down.phase == "down"
        assert "settings.toml" in down.sentence
        titan.paths.settings_file.unlink()
        while (now := await asyncio.wait_for(states.get(), 30)).phase != "up":
            pass
        assert now.link is not None
    finally:
        titan.paths.settings_file.unlink(missing_ok=True)
        watching.cancel()
        await asyncio.wait([watching])


def test_the_start_of_a_core_imports_next_to_nothing() -> None:
    """The window starts it before it imports Qt."""
    code = (
        "import sys, titan_desktop.client.spawn\n"
        "print(sorted({'asyncio', 'msgspec', 'redis', 'titan_bus'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=processes.own_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
