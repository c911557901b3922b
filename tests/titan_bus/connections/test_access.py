"""A server that is there and does not let us in, and commands that we may not send."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from tests.titan_bus.conftest import Recorder, until
from titan_bus import AccessRefusedError, Bus, BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.testing import private_server


def with_login(url: str, login: str) -> str:
    return url.replace("unix://", f"unix://{login}@")


async def change_password(url: str, former: str, new: str) -> None:
    """Give the server another password, and end every connection."""
    admin = Connection(Endpoint.parse(with_login(url, f":{former}")), 5.0)
    await admin.open()
    await admin.call("CONFIG", "SET", "requirepass", new)
    await admin.call("CLIENT", "KILL", "TYPE", "normal")
    await admin.close()


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_password_that_changed_is_told_once_and_by_name(
    topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal is no absence: one warning with the cure, publish fails with it; once mended, all goes on."""
    with private_server("--requirepass", "old") as url:
        async with Bus(BusConfig(url=with_login(url, ":old"), patience_s=0.3)) as bus:
            recorder = Recorder()
            await bus.subscribe(topic, "g", recorder)
            await bus.publish(topic, "e", {})
            await change_password(url, "old", "new")
            for _ in range(2):
                with pytest.raises(AccessRefusedError, match="WRONGPASS") as raised:
                    await bus.publish(topic, "e", {})
            assert raised.value.code == "WRONGPASS"
            with pytest.raises(AccessRefusedError, match="WRONGPASS"):
                await bus.request(topic, "ask", {}, timeout_s=0.1)
            assert len(warnings_of(caplog)) == 1
            assert "credentials" in warnings_of(caplog)[0]
            await change_password(url, "new", "old")
            await until(lambda: bus.connected, "it is let in again")
            await bus.publish(topic, "e", {})
            await recorder.wait_for(2)


async def test_credentials_are_asked_at_every_connect(topic: str) -> None:
    """A function gives what is valid now, so a password that changed costs nobody anything."""
    now = ["", "old"]

    async def credentials() -> tuple[str, str]:
        return now[0], now[1]

    with private_server("--requirepass", "old") as url:
        async with Bus(BusConfig(url=url), credentials=credentials) as bus:
            recorder = Recorder()
            await bus.subscribe(topic, "g", recorder)
            now[1] = "new"
            await change_password(url, "old", "new")
            await bus.publish(topic, "e", {})
            await recorder.wait_for(1)


async def from_a_cancelled_task() -> tuple[str, str]:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: None, "NoneType"),
        (from_a_cancelled_task, "CancelledError"),
    ],
)
async def test_a_function_for_credentials_that_fails_is_named(give: Callable[[], object], said: str) -> None:
    """What it raises, or that it returns no pair, is AccessRefusedError with the cure."""
    bus = Bus(BusConfig(url="redis://localhost"), credentials=give)  # type: ignore[arg-type]
    with pytest.raises(AccessRefusedError, match=f"{said}.*returns user and password") as raised:
        await bus.open()
    assert raised.value.code == "CREDENTIALS"


@pytest.mark.logs("without the rights")
@pytest.mark.parametrize("renamed", [True, False])
async def test_what_is_only_for_show_does_not_stop_us(topic: str, *, renamed: bool) -> None:
    """Without the right to CLIENT and PING, or where they are renamed, everything but speed is as ever."""
    options = ("--rename-command", "CLIENT", "", "--rename-command", "PING", "") if renamed else ()
    with private_server(*options) as url:
        if not renamed:
            admin = Connection(Endpoint.parse(url), 5.0)
            await admin.open()
            await admin.call("ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-client", "-ping", "-info")
            await admin.close()
        async with Bus(BusConfig(url=url if renamed else with_login(url, "app:pw"))) as bus:
            recorder = Recorder()
            await bus.subscribe(topic, "g", recorder)
            await bus.publish(topic, "e", {})
            await recorder.wait_for(1)
