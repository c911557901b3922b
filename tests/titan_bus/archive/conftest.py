"""What the archiver's tests share: a bus that archives one topic, when it is asked to."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.titan_bus.archives import quiet
from titan_bus import ArchiveConfig, BusConfig, StreamConfig, names
from titan_bus.connections.connection import Connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def config(config: BusConfig, topic: str, folder: Path) -> BusConfig:
    """A bus that archives one topic, when it is asked to."""
    return msgspec.structs.replace(
        config,
        archive=ArchiveConfig(target=str(folder), every_s=3_600.0, topics=(topic,)),
        streams=(StreamConfig(name=topic, maxlen=10),),
    )


@pytest.fixture
async def no_round(raw: Connection, config: BusConfig) -> AsyncIterator[None]:
    """Archives nothing by itself, nor other tests' dead letters, and leaves none to the next test."""
    await raw.call("DEL", names.DEAD_LETTERS)
    await quiet(raw, config)
    yield
    await raw.call("DEL", names.DEAD_LETTERS)
