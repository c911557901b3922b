"""Claims about the server host: real servers, its own process, no core."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
import redis.asyncio

from tests import servers
from tests.server_host import answer, gone, keeping
from titan_desktop.client import problems
from titan_desktop.contracts.problem import Problem
from titan_desktop.provision import orphans
from titan_desktop.provision.errors import FOLDER_LOST
from titan_desktop.system import bounded_file, processes


def said(report: dict[str, Any]) -> str:
    """What a person reads of a report."""
    return problems.say("en", Problem(**report["problem"]))


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """A folder whose cluster is made once for all tests that do not care."""
    with servers.short_folder() as folder:
        yield folder


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


async def test_a_server_host_that_has_lost_its_folder_ends_with_its_servers() -> None:
    """Another folder has its name: what the next server host has there by now is not touched."""
    with servers.short_folder() as folder:
        async with keeping(folder, "redis") as host:
            await host.heard("redis", "up")
            processes = host.servers()
            (folder / "run").rename(folder / "former")
            (folder / "run").mkdir()
            for name in ("valkey.sock", "stores.json"):
                (folder / "run" / name).touch()
            assert await asyncio.wait_for(host.process.wait(), 30) == FOLDER_LOST
            await gone(processes)
        assert {path.name for path in (folder / "run").iterdir()} == {"valkey.sock", "stores.json"}


async def test_servers_that_print_without_end_are_bounded(used: Path) -> None:
    """More than a log may have, from each of them: the newest lines are kept, and both serve on."""
    lines = bounded_file.LIMIT_BYTES // 900
    async with keeping(used, "redis", "postgres") as host:
        async with redis.asyncio.from_url((await host.heard("redis", "up"))["url"]) as valkey:
            words = f"for i = 1, {lines} do redis.log(redis.LOG_WARNING, string.rep('x', 950)) end return 1"
            assert await valkey.eval(words, 0) == 1
        dsn = (await host.heard("postgres", "up"))["url"]
        loop = f"FOR i IN 1..{lines} LOOP RAISE LOG '%', repeat('x', 950); END LOOP;"
        await answer(dsn, f"DO $$ BEGIN {loop} END $$")
        assert await answer(dsn) == 1
    for name in ("redis.log", "postgres.log"):
        sizes = [path.stat().st_size for path in (used / "logs").glob(f"{name}*")]
        assert len(sizes) == 2
        assert sum(sizes) <= bounded_file.LIMIT_BYTES
    assert (used / "logs/postgres.log").read_text("utf-8").rstrip().endswith("database system is shut down")


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
            sentence = said(await host.heard("redis", "failed"))
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


def test_the_lock_file_of_a_killed_initdb_names_its_server(tmp_path: Path) -> None:
    """With a minus sign before the process id; whoever has that id now and is no postgres lives on."""
    theirs = subprocess.Popen(["sleep", "60"])
    try:
        lock_file = tmp_path / "postgres-18.unfinished/postmaster.pid"
        lock_file.parent.mkdir()
        lock_file.write_text(f"-{theirs.pid}\n{lock_file.parent}\n1790000000\n5432\n\n\n\n")
        orphans.end_all(tmp_path / "stores.json", tmp_path, print)
        assert theirs.poll() is None
    finally:
        theirs.kill()
        theirs.wait()


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
            sentence = said(await host.heard("redis", "failed"))
            assert f"move {folder / 'data/redis'} away" in sentence
            (folder / "data/redis").rename(folder / "away")
            await host.heard("redis", "up")


@pytest.mark.parametrize(("major", "cure"), [(15, "in smaller steps"), (19, "Start the newer Titan")])
@pytest.mark.parametrize("name", ["postgres-18", "postgres-{major}"])
async def test_a_cluster_that_cannot_be_read_here_is_not_touched(name: str, major: int, cure: str) -> None:
    """What a much older or a newer Titan has left is named, with what to do about it; no empty one is made."""
    with servers.short_folder() as folder:
        cluster = folder / "data" / name.format(major=major)
        cluster.mkdir(parents=True)
        (cluster / "PG_VERSION").write_text(f"{major}\n")
        async with keeping(folder, "postgres") as host:
            sentence = said(await host.heard("postgres", "failed"))
        assert f"{cluster}, made by PostgreSQL {major}" in sentence
        assert cure in sentence
        assert [path.name for path in cluster.parent.iterdir()] == [cluster.name]
        assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]
