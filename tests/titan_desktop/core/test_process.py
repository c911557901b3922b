"""Claims about the core process: how it starts, what it survives, and that it leaves nothing behind.

Most share one installation, so that PostgreSQL's cluster is made once; each ends with all processes gone.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis.asyncio

from tests import servers
from tests.e2e.harness import Listener, Titan, cleaned, until
from tests.homes import install
from titan_bus import RequestFailedError
from titan_bus.declaring import asyncapi
from titan_bus.names import ARCHIVE_GROUP
from titan_desktop.client.connect import CoreUnavailableError, connect_core
from titan_desktop.client.link import CoreLink
from titan_desktop.contracts import chat, files, indexing, system
from titan_desktop.contracts.message import ask
from titan_desktop.core import description
from titan_desktop.system import processes

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root lends PostgreSQL to another user"
)


@pytest.fixture(scope="module")
def shared_state() -> Iterator[Path]:
    with servers.short_folder() as folder:
        yield folder / "titan"


@pytest.fixture
def titan(titan_home: Path, shared_state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Titan]:
    """An installation that has run before, unless this test is the first; nothing runs yet."""
    monkeypatch.setenv("TITAN_HOME", str(shared_state))
    with cleaned(titan_home) as installed:
        yield installed


@pytest.fixture
def fresh(titan_home: Path) -> Iterator[Titan]:
    """An installation that has never run."""
    with cleaned(titan_home) as installed:
        yield installed


async def status(link: CoreLink) -> system.Status:
    return await ask(link.bus, system.GetStatus(), timeout_s=20)


async def ready(link: CoreLink) -> system.Status:
    """The status once all services are in."""
    deadline = time.monotonic() + 30
    while not (now := await status(link)).ready:
        assert time.monotonic() < deadline, now
        await asyncio.sleep(0.02)
    return now


def store(now: system.Status, name: str) -> system.StoreStatus:
    return next(store for store in now.stores if store.name == name)


async def changed(heard: Listener, name: str, *, ok: bool) -> system.StoreStatus:
    """What was said when a store came or went."""

    def is_it(said: system.StoreChanged) -> bool:
        return (said.store.name, said.store.ok) == (name, ok)

    return (await heard.first(system.StoreChanged, is_it)).store


def named(titan: Titan, name: str) -> list[psutil.Process]:
    found = []
    for process in titan.processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended since it was listed
            if process.name().startswith(name):
                found.append(process)
    return found


def printing_into(titan: Titan) -> dict[tuple[str, int], str]:
    """Where the standard outputs of each process lead, by its name and their number."""
    found = {}
    for process in titan.processes():
        for number in (1, 2):
            with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):  # it ended since it was listed
                where = Path(f"/proc/{process.pid}/fd/{number}").readlink()
                found[process.name(), number] = str(where)
    return found


def host(titan: Titan) -> psutil.Process:
    (found,) = [process for process in titan.processes() if "server-host" in process.cmdline()]
    return found


async def conversations(link: CoreLink) -> None:
    """Wait for an answer that needs PostgreSQL; while it starts again the answer is a refusal."""
    deadline = time.monotonic() + 20
    while True:
        try:
            await ask(link.bus, chat.ListConversations(), timeout_s=20)
        except RequestFailedError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            return


async def test_the_first_start_makes_everything_private_and_ends_by_itself(fresh: Titan) -> None:
    """From nothing to ready; files and sockets are the owner's alone; without a client nothing is left."""
    async with fresh.link() as link:
        now = await ready(link)
        while not (store(now, "redis").ok and store(now, "postgres").ok):
            await asyncio.sleep(0.02)  # silent for a second on a busy machine
            now = await status(link)
        assert now.pid == fresh.core_pid()
        assert stat.S_IMODE(fresh.paths.core_file.stat().st_mode) == 0o600
        sockets = fresh.paths.sockets()
        assert stat.S_IMODE((sockets / "valkey.sock").stat().st_mode) == 0o600
        assert stat.S_IMODE((sockets / "pg").stat().st_mode) == 0o700
        assert stat.S_IMODE((fresh.paths.data / "postgres-18").stat().st_mode) == 0o700
        assert stat.S_IMODE((fresh.paths.logs / "core.log").stat().st_mode) == 0o600
    await fresh.gone()
    assert not fresh.paths.core_file.exists()
    assert not (fresh.paths.run / "stores.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what a process has open from /proc")
async def test_nothing_prints_into_a_file(titan: Titan) -> None:
    """Core, workers, server host and servers print into pipes, whose other ends bound what comes."""
    (titan.desktop / "letter.txt").write_text("hello", "utf-8")
    async with titan.link() as link, Listener(link, indexing.FileIndexed) as heard:
        await ready(link)
        await heard.first(indexing.FileIndexed)
        printed = printing_into(titan)
    assert {name for name, _ in printed} >= {"valkey-server", "postgres"}
    files = {who: where for who, where in printed.items() if not where.startswith("pipe:")}
    assert set(files.values()) <= {os.devnull}  # the log writer's own


async def test_a_source_is_located_by_the_guarded_module(titan: Titan) -> None:
    """Beneath a root and there, beneath a root and gone, outside: what a window must know before it opens one."""
    there = titan.desktop / "letter.txt"
    there.write_text("hello", "utf-8")

    async def located(path: Path) -> tuple[bool, bool]:
        said = await ask(link.bus, files.LocateSource(path=str(path)))
        return said.allowed, said.exists

    async with titan.link() as link:
        await ready(link)
        assert await located(there) == (True, True)
        assert await located(titan.desktop / "gone.txt") == (True, False)
        assert await located(titan.home / "letter.txt") == (False, False)
        assert await located(titan.desktop / ".." / "letter.txt") == (False, False)
        roots = {root.path: root.exists for root in (await status(link)).roots}
        assert roots == {str(titan.desktop): True, str(titan.home / "Downloads"): True}


async def test_a_second_core_leaves_the_first_alone(titan: Titan) -> None:
    """It finds the lock taken, says so in the log, and ends with 0."""
    async with titan.link() as link:
        first = titan.core_pid()
        second = await asyncio.create_subprocess_exec(
            *processes.command("core"), env=processes.own_environment()
        )
        assert await asyncio.wait_for(second.wait(), 20) == 0
        assert "another core serves" in (titan.paths.logs / "core.log").read_text("utf-8")
        assert (await status(link)).pid == first


async def test_a_core_is_one_consumer_of_its_home(titan: Titan) -> None:
    """Its name on the transport is the home's, so it is the next core's too, and no other home's."""
    names = []
    for _ in range(2):
        async with titan.link() as link:
            await ready(link)
            async with redis.asyncio.from_url(link.record.bus_url) as raw:
                consumers = await raw.xinfo_consumers("topics:{system.requests.v1}", "status")
        names.append([consumer["name"].decode() for consumer in consumers])
        titan.kill_core()
        await titan.gone()
    assert names[0] == names[1]
    assert names[0][0].endswith(f"/{titan.paths.identity}")
    assert len(names[0]) == 1


async def test_a_killed_core_takes_its_servers_with_it(titan: Titan) -> None:
    """kill -9 of the core: server host and servers end by themselves, and the next core starts."""
    async with titan.link() as link:
        await ready(link)
        dead = titan.kill_core()
        await titan.gone()
    async with titan.link() as link:
        assert (await ready(link)).pid != dead


async def test_the_next_core_need_not_wait_for_the_old_servers_end(titan: Titan) -> None:
    """A core that starts while the killed one's server host still stops its servers gets servers of its own."""
    async with titan.link() as link:
        await ready(link)
    dead = titan.kill_core()
    async with titan.link() as link:
        assert (await ready(link)).pid != dead
        await conversations(link)


async def test_a_killed_server_host_is_replaced_under_a_living_core(titan: Titan) -> None:
    """kill -9 of the server host: the core starts another one, and serves on."""
    async with titan.link() as link:
        pid = (await ready(link)).pid
        old = [host(titan), *named(titan, "valkey"), *named(titan, "postgres")]
        old[0].kill()
        await until(lambda: not any(one.is_running() for one in old), "the old servers are gone")
        await until(
            lambda: bool(named(titan, "valkey") and named(titan, "postgres")), "new servers are there"
        )
        await conversations(link)
        assert (await status(link)).pid == pid


@pytest.mark.parametrize("name", ["valkey", "postgres"])
async def test_a_killed_server_is_started_again(titan: Titan, name: str) -> None:
    """kill -9 of a server: the server host starts it again and the core's clients find it."""
    async with titan.link() as link:
        pid = (await ready(link)).pid
        victims = named(titan, name)
        for victim in victims:
            if victim.is_running():
                victim.kill()
        await until(lambda: bool(set(named(titan, name)) - set(victims)), f"{name} is there again")
        await conversations(link)
        assert (await status(link)).pid == pid


async def test_after_everything_was_killed_at_once_the_next_start_works(titan: Titan) -> None:
    """No orphan, no stale lock, no stale socket stands in the way."""
    async with titan.link() as link:
        await ready(link)
        titan.kill_everything()
        await titan.gone()
    async with titan.link() as link:
        await ready(link)
        await conversations(link)


async def test_a_terminated_core_stops_in_order(titan: Titan) -> None:
    """SIGTERM: the clients are told by the lock, PostgreSQL shuts down cleanly, nothing is left."""
    async with titan.link() as link:
        await ready(link)
        os.kill(titan.core_pid(), signal.SIGTERM)
        await titan.gone()
    assert not titan.paths.core_file.exists()
    postgres_log = (titan.paths.logs / "postgres.log").read_text("utf-8")
    assert postgres_log.rstrip().endswith("database system is shut down")
    assert "ended" in (titan.paths.logs / "core.log").read_text("utf-8").splitlines()[-1]


async def test_a_core_that_has_lost_its_home_ends(fresh: Titan, new_cluster: Path | None) -> None:
    """Removed under a client and a busy core: core, server host and servers end, and another start serves."""
    install(fresh.paths, new_cluster)
    (fresh.desktop / "letter.txt").write_text("hello", "utf-8")
    async with fresh.link() as link:
        await ready(link)
        home = fresh.paths.data.parent
        home.rename(home.with_name("removed"))
        shutil.rmtree(home.with_name("removed"), ignore_errors=True)
        await fresh.gone()
    async with fresh.link() as link:
        await conversations(link)


async def test_a_core_subscribes_what_its_document_says(titan: Titan) -> None:
    """Group by group: the document is not made beside the composition."""
    document = asyncapi.document(description.handlers(), title="Titan", version="1")
    described = {
        (operation["channel"]["$ref"].rpartition("/")[2], operation["x-titan-bus"]["group"])
        for operation in document["operations"].values()
        if operation["action"] == "receive"
    }
    async with titan.link() as link, asyncio.timeout(60):
        groups: set[tuple[str, str]] = set()
        while not groups >= described:
            await asyncio.sleep(0.1)  # the graph opens by itself
            inspection = link.bus.inspection
            groups = {
                (topic, group.group)
                for topic in await inspection.topic_names()
                for group in await inspection.groups(topic)
                if group.group != ARCHIVE_GROUP
            }
    assert groups == described


async def test_a_store_that_cannot_be_opened_does_not_stop_the_others(fresh: Titan) -> None:
    """PostgreSQL's folder is unusable: the core says so with the cure, serves what it can, and goes on trying."""
    junk = fresh.paths.data / "postgres-18"
    junk.mkdir(parents=True)
    (junk / "somebody's file").touch()
    async with fresh.link() as link, Listener(link, system.CoreReady, system.StoreChanged) as heard:
        failed = await changed(heard, "postgres", ok=False)
        assert failed.problem is not None
        assert str(fresh.paths.data) in str(failed.problem)
        now = await status(link)
        assert not now.ready
        assert store(now, "redis").ok
        assert store(now, "postgres").problem == failed.problem
        (junk / "somebody's file").unlink()
        await heard.first(system.CoreReady)
        assert store(await status(link), "postgres").ok


@pytest.mark.parametrize("place", ["home", "data"])
async def test_a_home_that_cannot_be_written_is_a_sentence(
    titan_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A file where the folder should be: the client hears which, and what to do."""
    home = tmp_path / "titan"
    if place == "data":
        home.mkdir()
        home = home / "inner"
        home.mkdir()
        (home / "data").touch()
    else:
        home.touch()
    monkeypatch.setenv("TITAN_HOME", str(home))
    with cleaned(titan_home) as titan, pytest.raises(CoreUnavailableError) as caught:
        async with titan.link():
            pass
    assert str(home) in caught.value.sentence
    assert "TITAN_HOME" in caught.value.sentence


@pytest.mark.parametrize(
    ("locale", "cure"), [("en_GB.UTF-8", "Correct the line"), ("ru_RU.UTF-8", "Исправьте")]
)
async def test_a_settings_file_that_makes_no_sense_is_a_sentence(
    titan: Titan, monkeypatch: pytest.MonkeyPatch, locale: str, cure: str
) -> None:
    """The client hears the file, the line and the cure, in the locale's language."""
    monkeypatch.setenv("LC_ALL", locale)
    titan.paths.create()
    titan.paths.settings_file.write_text("language = 'xx'\n", "utf-8")
    try:
        with pytest.raises(CoreUnavailableError, match=rf"settings\.toml: .*language.*{cure}"):
            await connect_core(titan.paths, source="t", client_id="c", timeout_s=20)
    finally:
        titan.paths.settings_file.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="no sockets there, and links need a right")
async def test_a_home_too_deep_for_sockets_serves(titan_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unix socket's path has about 100 bytes: below a longer home the sockets live in the temporary folder.

    There somebody may have taken their name before us, here by a link: it stops no start, and is left alone.
    """
    with servers.short_folder() as folder:
        (folder / "target").mkdir(mode=0o755)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setenv("TITAN_HOME", str(folder / ("глубоко" * 9) / "titan"))
        with cleaned(titan_home) as titan:
            taken = titan.paths.sockets()
            taken.symlink_to(folder / "target")
            titan.paths.create()
            sockets = titan.paths.sockets()
            assert titan.paths.run not in [sockets, *sockets.parents]
            async with titan.link() as link:
                await ready(link)
                assert titan.paths.sockets() == sockets
                assert (sockets / "valkey.sock").exists()
        assert stat.S_IMODE((folder / "target").stat().st_mode) == 0o755
        assert not list((folder / "target").iterdir())


@needs_root
async def test_as_root_a_home_below_a_private_folder_serves(
    titan_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's own user gets the search bit of the folders above, and no more than that."""
    with servers.short_folder() as folder:
        private = folder / "private"
        private.mkdir(mode=0o700)
        monkeypatch.setenv("TITAN_HOME", str(private / "titan"))
        with cleaned(titan_home) as titan:
            async with titan.link() as link:
                await ready(link)
            assert stat.S_IMODE(private.stat().st_mode) == 0o701
            assert str(private) in (titan.paths.logs / "core.log").read_text("utf-8")


async def test_no_secret_reaches_the_log(titan: Titan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the key nor the password of a store that cannot be reached."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("TITAN_POSTGRES_URL", "postgresql://u:very-secret@127.0.0.1:9/x")
    async with titan.link() as link, Listener(link, system.StoreChanged) as heard:
        await changed(heard, "postgres", ok=False)
    for log in titan.paths.logs.iterdir():
        assert "very-secret" not in log.read_text("utf-8", errors="replace")


async def test_the_core_imports_no_qt_and_nothing_heavy_before_the_bus() -> None:
    """What is slow comes later, in a thread."""
    code = (
        "import sys, titan_desktop.core.process, titan_bus\n"
        "heavy = {'PySide6', 'openai', 'neo4j', 'ladybug', 'kreuzberg', 'asyncpg', 'redis', 'keyring',"
        " 'httpx2', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        env=processes.own_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
