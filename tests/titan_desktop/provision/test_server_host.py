"""Claims about the server host: real servers, its own process, no core."""

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from tests import servers
from titan_desktop.provision import orphans
from titan_desktop.system import processes

PATIENCE_S = 30


class ServerHost:
    """One server host at work in `folder`."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process
        self.notes: list[str] = []

    async def heard(self, store: str, state: str) -> dict[str, str]:
        """Wait until it says that."""
        assert self.process.stdout is not None
        while line := await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S):
            said: dict[str, str] = json.loads(line)
            if "note" in said:
                self.notes.append(said["note"])
            elif (said["store"], said["state"]) == (store, state):
                return said
        raise AssertionError(f"the server host ended before {store} was {state}")

    async def end(self) -> int:
        """Close its input, as the core's end does, and return its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    def servers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextlib.asynccontextmanager
async def keeping(folder: Path, *stores: str, listen: str = "unix") -> AsyncIterator[ServerHost]:
    for name in ("data", "logs", "run"):
        (folder / name).mkdir(exist_ok=True, mode=0o700)
    words = [word for name in ("data", "logs", "run") for word in (f"--{name}", str(folder / name))]
    process = await asyncio.create_subprocess_exec(
        *processes.command("server-host"), *words, "--sockets", str(folder / "run"), "--listen", listen, *stores,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=processes.own_environment(),
    )  # fmt: skip
    host = ServerHost(folder, process)
    try:
        yield host
    finally:
        if process.returncode is None:
            await host.end()
        process._transport.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """A folder whose cluster is made once for all tests that do not care."""
    with servers.short_folder() as folder:
        yield folder


async def gone(processes: list[psutil.Process], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while alive := [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, alive
        await asyncio.sleep(0.02)


async def answer(dsn: str, query: str = "SELECT 1") -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_both_serve_and_stop_with_the_input(used: Path) -> None:
    """The end of the pipe is the end of the servers: PostgreSQL shuts down cleanly, the record is gone."""
    async with keeping(used, "redis", "postgres") as host:
        redis_url = (await host.heard("redis", "up"))["url"]
    async with keeping(used, "redis", "postgres") as host:
        dsn = (await host.heard("postgres", "up"))["url"]
        assert await answer(dsn) == 1
        assert redis_url.startswith("unix://")
        processes = host.servers()
        assert await host.end() == 0
        await gone(processes, 1)
    assert (used / "logs/postgres.log").read_text("utf-8").rstrip().endswith("database system is shut down")
    assert not (used / "run/stores.json").exists()


async def test_full_text_search_knows_russian_quotes_from_letters(used: Path) -> None:
    """With the C character type «договор» would be one word with its quotes, and never be found."""
    async with keeping(used, "postgres") as host:
        dsn = (await host.heard("postgres", "up"))["url"]
        lexemes = await answer(dsn, "SELECT to_tsvector('russian', '«Договор»—АРЕНДЫ')::text")
        assert lexemes == "'аренд':2 'договор':1"
        assert await answer(dsn, "SELECT lower('ЁЖ')") == "ёж"


async def test_a_stale_lock_file_does_not_block(used: Path) -> None:
    """postmaster.pid of a killed server whose process id somebody else has now: ours, to be exact."""
    async with keeping(used, "postgres") as host:
        await host.heard("postgres", "up")
        content = (used / "data/postgres-18/postmaster.pid").read_text("utf-8").splitlines()
    content[0] = str(os.getpid())
    (used / "data/postgres-18/postmaster.pid").write_text("\n".join(content) + "\n", "utf-8")
    (used / "run/pg/.s.PGSQL.5432.lock").write_text("\n".join(content) + "\n", "utf-8")
    async with keeping(used, "postgres") as host:
        assert await answer((await host.heard("postgres", "up"))["url"]) == 1


async def test_an_initdb_that_was_killed_leaves_no_half_cluster() -> None:
    """What it left is thrown away, and the cluster made anew."""
    with servers.short_folder() as folder:
        half = folder / "data/postgres-18.unfinished"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        async with keeping(folder, "postgres") as host:
            assert await answer((await host.heard("postgres", "up"))["url"]) == 1
        assert not half.exists()


async def test_the_input_closed_during_initdb_ends_it() -> None:
    """A core that dies in its first second leaves neither a process nor a half cluster."""
    with servers.short_folder() as folder:
        async with keeping(folder, "redis", "postgres") as host:
            await host.heard("redis", "up")
            processes = host.servers()
            assert await host.end() == 0
            await gone(processes, 2)
        assert not (folder / "data/postgres-18").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_servers_die_with_a_killed_server_host(used: Path) -> None:
    """kill -9 of the server host: the kernel ends both servers."""
    async with keeping(used, "redis", "postgres") as host:
        await host.heard("postgres", "up")
        processes = host.servers()
        assert {one.name() for one in processes} >= {"valkey-server", "postgres"}
        host.process.kill()
        await host.process.wait()
        await gone(processes)


async def test_a_second_server_host_waits_for_the_first(used: Path) -> None:
    """It serves when the first has stopped, not before."""
    async with keeping(used, "redis") as first:
        await first.heard("redis", "up")
        async with keeping(used, "redis") as second:
            waiting = asyncio.create_task(second.heard("redis", "up"))
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
            await first.end()
            await waiting


async def test_a_server_that_dies_is_started_again(used: Path) -> None:
    """The core hears that it is down, and then up, at the same place."""
    async with keeping(used, "redis") as host:
        before = await host.heard("redis", "up")
        host.servers()[0].kill()
        await host.heard("redis", "down")
        assert await host.heard("redis", "up") == before


async def test_a_port_asks_for_the_password() -> None:
    """Where sockets do not serve: loopback, a random port and password, kept for the next start, mode 0600."""
    with servers.short_folder() as folder:
        async with keeping(folder, "postgres", listen="tcp") as host:
            dsn = (await host.heard("postgres", "up"))["url"]
            assert dsn.partition("@")[2].startswith("127.0.0.1:")
            assert await answer(dsn) == 1
            with pytest.raises(asyncpg.InvalidPasswordError):
                await answer(dsn.replace("postgres:", "postgres:x", 1))
        secret = folder / "data/postgres.password"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert secret.read_text() not in (folder / "logs/postgres.log").read_text()
        async with keeping(folder, "postgres", listen="tcp") as host:
            assert secret.read_text() in (again := await host.heard("postgres", "up"))["url"]
            assert await answer(again["url"]) == 1


async def test_a_folder_that_cannot_be_used_is_a_sentence() -> None:
    """A file in the place of Valkey's folder: which, and what to do. The server host stays, and goes on trying."""
    with servers.short_folder() as folder:
        (folder / "data").mkdir()
        (folder / "data/redis").touch()
        async with keeping(folder, "redis") as host:
            sentence = (await host.heard("redis", "failed"))["sentence"]
            assert str(folder / "data/redis") in sentence
            assert "TITAN_HOME" in sentence
            (folder / "data/redis").unlink()
            await host.heard("redis", "up")


def test_leftovers_are_ended_by_id_start_and_name(tmp_path: Path) -> None:
    """A process that only has a recorded id is somebody else's, and lives on."""
    ours, theirs = (subprocess.Popen(["sleep", "60"]) for _ in range(2))
    try:
        entries = [entry for child in (ours, theirs) if (entry := orphans.entry_of(child.pid))]
        entries.append({**entries[1], "name": "valkey-server"})
        entries[1]["started"] -= 100.0
        record = tmp_path / "stores.json"
        orphans.write(record, entries)
        orphans.end_all(record, tmp_path, print)
        assert not psutil.pid_exists(ours.pid)
        assert theirs.poll() is None
        assert not record.exists()
    finally:
        for child in (ours, theirs):
            child.kill()
            child.wait()


@pytest.mark.parametrize(
    "content", ["", "[", "{}", '[{"pid": 1}]', '[{"pid": "x", "started": 0, "name": ""}]']
)
def test_a_record_that_makes_no_sense_is_passed_over(tmp_path: Path, content: str) -> None:
    """It was half written by a server host that died; nobody is ended for it."""
    record = tmp_path / "stores.json"
    record.write_text(content)
    orphans.end_all(record, tmp_path, print)
    assert not record.exists()


def test_the_server_host_is_light() -> None:
    """Nothing but the standard library before its servers run."""
    code = (
        "import sys; before = set(sys.modules); import titan_desktop.provision.server_host\n"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=processes.own_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['titan_desktop']"


@pytest.mark.parametrize("store", ["redis", "postgres"])
async def test_whatever_the_umask_nobody_else_may_read_what_the_servers_write(used: Path, store: str) -> None:
    """Data, logs, records and sockets: no right for group or others but the search bit that root sets."""
    before = os.umask(0)
    try:
        async with keeping(used, store) as host:
            await host.heard(store, "up")
            places = [
                path for name in ("data", "logs", "run") for path in (used / name, *(used / name).rglob("*"))
            ]
            assert [path for path in places if not path.is_symlink() and path.lstat().st_mode & 0o066] == []
    finally:
        os.umask(before)


async def test_a_damaged_append_only_file_is_a_sentence_with_the_cure() -> None:
    """Not a loop without a word: the sentence names the folder to move away and what that costs."""
    with servers.short_folder() as folder:
        async with keeping(folder, "redis") as host:
            await host.heard("redis", "up")
        (log,) = (folder / "data/redis/appendonlydir").glob("*.incr.aof")
        log.write_bytes(b"*1\r\n$4\r\nPING\r\nGARBAGE" * 9)
        async with keeping(folder, "redis") as host:
            sentence = (await host.heard("redis", "failed"))["sentence"]
            assert f"move {folder / 'data/redis'} away" in sentence
            (folder / "data/redis").rename(folder / "away")
            await host.heard("redis", "up")


async def test_a_cluster_of_another_version_is_not_touched(used: Path) -> None:
    """A data folder that an older or newer Titan has left is named, with what to do about it."""
    version = used / "data/postgres-18/PG_VERSION"
    async with keeping(used, "postgres") as host:
        await host.heard("postgres", "up")
    right = version.read_text()
    version.write_text("16\n")
    try:
        async with keeping(used, "postgres") as host:
            assert "made by PostgreSQL 16" in (await host.heard("postgres", "failed"))["sentence"]
    finally:
        version.write_text(right)
