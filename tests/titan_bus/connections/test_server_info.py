"""What the bus asks of a server before it trusts it with events."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from tests.titan_bus.scraping import scraped
from titan_bus import Bus, BusConfig, MetricsConfig, ServerTooOldError
from titan_bus.testing import private_server


@contextlib.asynccontextmanager
async def server_that_says(**answers: bytes) -> AsyncIterator[str]:
    """A server that answers these commands so, and any other with OK; yields its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            for command in data.split(b"*")[1:]:
                name = command.split(b"\r\n")[2].decode()
                writer.write(answers.get(name, b"+OK\r\n"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


OLD_HELLO = b"*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n6.2.14\r\n"
OLD_INFO = b"$21\r\nredis_version:5.0.14\r\n\r\n"
UNKNOWN = b"-ERR unknown command\r\n"


@pytest.mark.parametrize(
    ("answers", "version"),
    [({"HELLO": OLD_HELLO}, "Redis 6.2.14"), ({"HELLO": UNKNOWN, "INFO": OLD_INFO}, "Redis 5.0.14")],
)
async def test_an_old_server_is_refused(answers: dict[str, bytes], version: str) -> None:
    """One sentence at once with what it is and what is needed, in place of odd errors later."""
    async with server_that_says(**answers) as url:
        with pytest.raises(ServerTooOldError, match=f"is {version}: the bus needs Redis 7.0"):
            await Bus(BusConfig(url=url)).open()


@pytest.mark.parametrize(("policy", "lost"), [("allkeys-lru", "unread events"), ("volatile-ttl", "once")])
async def test_a_server_that_deletes_keys_is_told(
    policy: str, lost: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning at open with the cure, and a metric; `noeviction` is no news."""
    with private_server("--maxmemory-policy", policy) as url:
        async with Bus(BusConfig(url=url, metrics=MetricsConfig(port=0, every_s=0.01))) as bus:
            [warning] = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
            assert policy in warning
            assert lost in warning
            assert "set maxmemory-policy noeviction" in warning

            await scraped(
                bus, lambda now: now.value("titan_bus_server_deletes_keys", policy=policy) == 1, "the metric"
            )
