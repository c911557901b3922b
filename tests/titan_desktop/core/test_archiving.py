"""The archive of a home, and what is said when it cannot be written."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests import servers
from titan_bus import Bus, BusConfig
from titan_desktop.client import problems
from titan_desktop.contracts import topics
from titan_desktop.core.archiving import archive_config, archive_problems
from titan_desktop.settings import ArchiveSettings
from titan_desktop.system.paths import Paths


@pytest.fixture
def url() -> Iterator[str]:
    with servers.short_folder() as folder, servers.valkey(folder) as url:
        yield url


def home(folder: Path) -> Paths:
    return Paths(config=folder, data=folder / "data", logs=folder / "logs", run=folder / "run")


def config_of(url: str, paths: Paths) -> BusConfig:
    archive = msgspec.structs.replace(archive_config(paths, ArchiveSettings(days=30)), every_s=0.01)
    return BusConfig(url=url, archive=archive)


async def said(bus: Bus) -> str:
    """Wait until the archive fails, and return the sentence for a person."""
    async with asyncio.timeout(20):
        while not (found := archive_problems(bus)):  # noqa: ASYNC110  # the bus tells nobody
            await asyncio.sleep(0.01)
    [problem] = found
    return problems.say("en", problem)


def test_chat_files_and_memory_are_archived_for_as_long_as_is_chosen(tmp_path: Path) -> None:
    """Beneath the person's data, without questions that have a deadline and without what is ephemeral."""
    config = archive_config(home(tmp_path), ArchiveSettings(days=30))
    assert (config.target, config.max_age_days) == (str(tmp_path / "data" / "archive"), 30)
    assert set(config.topics) == {
        *("chat.commands.v1", "chat.v1", "files.commands.v1", "files.v1"),
        *("memory.commands.v2", "memory.v2"),
    }


@pytest.mark.logs("the streams keep what could not be archived")
async def test_a_second_home_on_one_server_serves_and_is_told_so(url: str, tmp_path: Path) -> None:
    """It archives nothing there, and what it says still reaches everybody; the first goes on."""
    first, second = config_of(url, home(tmp_path / "1")), config_of(url, home(tmp_path / "2"))
    async with Bus(first) as bus:
        await bus.publish(topics.CHAT, "e", {})
        await bus.archive_now()
        async with Bus(second) as other:
            assert f"archives it in {tmp_path / '1' / 'data' / 'archive'}" in await said(other)
            await other.publish(topics.CHAT, "e", {})
            assert (await bus.archive_now()).entries <= 1
            assert [event.event_type async for event in bus.replay("2000-01-01T00:00:00Z", topics.CHAT)] == [
                "e"
            ] * 2
        assert archive_problems(bus) == ()


@pytest.mark.logs("the streams keep what could not be archived")
async def test_an_archive_that_cannot_be_written_is_a_sentence(url: str, tmp_path: Path) -> None:
    """With the folder and the system's reason; the bus goes on."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive").write_text("a file in its place")
    async with Bus(config_of(url, home(tmp_path))) as bus:
        assert str(tmp_path / "data" / "archive") in await said(bus)
        await bus.publish(topics.CHAT, "e", {})
