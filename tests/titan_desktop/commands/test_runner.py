import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.responders import a_status, files_service, memory_service, system_service
from titan_bus import Bus
from titan_desktop.client import spawn
from titan_desktop.commands import exit_codes, runner, sentences
from titan_desktop.contracts import files, indexing, search, system
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.system import file_lock
from titan_desktop.system.paths import Paths

SAYS = sentences.ENGLISH
STARTING = a_status(ready=False)
ILL = a_status(
    ready=False,
    stores=(
        system.StoreStatus(
            name="postgres",
            place="external",
            ok=False,
            problem=Problem(Code.REFUSED, {"reason": "wrong password"}),
        ),
    ),
)


async def say(bus: Bus, said: system.CoreReady | system.StoreChanged) -> None:
    await publish(bus, said)


async def test_a_ready_core_is_not_waited_for(bus: Bus) -> None:
    """One question is enough."""
    async with system_service(bus, a_status()):
        await asyncio.wait_for(runner._until_ready(bus, SAYS), 30)


async def test_a_core_that_becomes_ready_while_it_is_asked_is_heard(bus: Bus) -> None:
    """`core_ready` said between the question and its answer is not missed."""

    async def become_ready() -> None:
        await say(bus, system.CoreReady(pid=1, version="0.1.0"))

    async with system_service(bus, STARTING, on_asked=become_ready):
        await asyncio.wait_for(runner._until_ready(bus, SAYS), 30)


async def test_a_store_that_does_not_open_is_a_sentence(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure the core has a moment to try again; then its own sentence ends the command with 3."""
    monkeypatch.setattr(runner, "RETRY_S", 0.2)

    async def fail() -> None:
        await say(bus, system.StoreChanged(store=ILL.stores[0]))

    async with system_service(bus, ILL, on_asked=fail):
        with pytest.raises(runner.CommandError) as caught:
            await asyncio.wait_for(runner._until_ready(bus, SAYS), 30)
    assert caught.value.sentence == (
        "titan: PostgreSQL cannot be used: wrong password. See that the server runs, and that its address and"
        " password are right."
    )
    assert caught.value.status == exit_codes.NOT_REACHED


async def test_a_store_that_has_gone_since_is_a_sentence(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that served and has lost its database is not asked in vain: the command says which store it is."""
    monkeypatch.setattr(runner, "RETRY_S", 0.2)
    async with system_service(bus, a_status(stores=ILL.stores)):
        with pytest.raises(runner.CommandError, match="PostgreSQL cannot be used: wrong password"):
            await asyncio.wait_for(runner._until_ready(bus, SAYS), 30)


@pytest.mark.parametrize(
    ("fresh", "files_known", "waits"), [(False, 5, False), (True, 5, True), (False, 0, True)]
)
async def test_a_core_that_has_not_looked_yet_looks_first(
    bus: Bus, *, fresh: bool, files_known: int, waits: bool
) -> None:
    """A core that was running and knows files is asked at once; any other scans the folders before it answers."""

    async def scan(command: files.IndexPaths) -> AsyncIterator[files.ScanFinished]:
        yield files.ScanFinished(job_id=command.job_id, seen=0)

    async def find(_: search.Search) -> search.SearchResult:
        return search.SearchResult(hits=())

    async def work() -> int:
        return len(commands)

    status = indexing.IndexStatus(files=files_known, passages=0, failed=0, skipped=0)
    services = system_service(bus, a_status()), memory_service(bus, find, status)
    async with services[0], services[1], files_service(bus, scan) as commands:
        assert await runner._after_scan(bus, SAYS, work, fresh=fresh) == int(waits)


async def test_a_scan_that_takes_long_does_not_hold_the_answer_up(
    bus: Bus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time the command answers from what has been read, and says so."""
    monkeypatch.setattr(runner, "FIRST_SCAN_S", 0.2)

    async def endless(command: files.IndexPaths) -> AsyncIterator[files.FileSeen]:
        yield files.FileSeen(path="/d/1", size=1, mtime_ns=1, job_id=command.job_id)

    async def find(_: search.Search) -> search.SearchResult:
        return search.SearchResult(hits=())

    async def work() -> int:
        return 7

    status = indexing.IndexStatus(files=0, passages=0, failed=0, skipped=0)
    async with (
        system_service(bus, a_status()),
        memory_service(bus, find, status),
        files_service(bus, endless),
    ):
        assert await runner._after_scan(bus, SAYS, work, fresh=True) == 7
    assert capsys.readouterr().err == f"{SAYS['first_scan_late']}\n"


async def test_a_core_that_dies_is_started_again_a_few_times(
    titan_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the lock is held nothing happens; when it is free a core is started, three times at most."""
    monkeypatch.setattr(runner, "WATCH_S", 0.01)
    paths = Paths.from_environment()
    paths.create()
    started: list[Paths] = []
    monkeypatch.setattr(spawn, "spawn_core", started.append)
    lock = file_lock.FileLock(paths.core_lock)
    assert lock.acquire()
    keeping = asyncio.create_task(runner._keep_core(paths))
    await asyncio.sleep(0.05)
    assert started == []
    lock.release()
    await asyncio.wait_for(keeping, 30)
    assert started == [paths] * runner.RESTARTS_MAX
