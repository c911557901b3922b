from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import Desk, opened
from titan_bus import Bus, BusConfig
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.contracts.streams import STREAMS


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    """A bus on a real, empty server: what a command gets of its link to the core."""
    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as opened:
        yield opened


@pytest.fixture
async def desk(
    bus: Bus, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    async with opened(bus, database, tmp_path, monkeypatch) as desk:
        yield desk
