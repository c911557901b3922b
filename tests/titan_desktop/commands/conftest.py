from collections.abc import AsyncIterator

import pytest

from titan_bus import Bus, BusConfig
from titan_desktop.contracts.streams import STREAMS


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    """A bus on a real, empty server: what a command gets of its link to the core."""
    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as opened:
        yield opened
