"""Handlers with a time limit."""

import asyncio
from typing import Any

import pytest

from tests.titan_bus.conftest import Recorder, settled
from titan_bus import Bus, Event, HandlerRefusedError, Handlers, RequestFailedError, names
from titan_bus.connections.connection import Connection


async def test_a_handler_that_takes_too_long_has_failed(bus: Bus, raw: Connection, topic: str) -> None:
    """It is cancelled and its event tried again; one that returns in time is no failure."""
    ended: list[BaseException | None] = []

    async def hang_once(event: Event) -> None:
        try:
            if not event.meta.retries:
                await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            ended.append(error)
            raise

    recorder = Recorder(hang_once)
    await bus.subscribe(topic, "g", recorder, timeout_s=0.05)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(2)
    await settled(raw, names.retries_of("g", topic), "g")
    assert [event.meta.retries for event in recorder.events] == [0, 1]
    assert len(ended) == 1


@pytest.mark.logs("request .* failed")
async def test_a_request_is_told_of_the_limit(bus: Bus, topic: str) -> None:
    """At once, not at its own deadline; a limit of a declared handler is one of the subscription."""
    handlers = Handlers()

    @handlers.on(topic, "g", timeout_s=0.01)
    async def hang(_: Event) -> None:
        await asyncio.Event().wait()

    await bus.include(handlers)
    with pytest.raises(RequestFailedError, match="internal: HandlerTimedOutError"):
        await bus.request(topic, "q", {}, timeout_s=20)


@pytest.mark.logs("request .* failed")
async def test_the_handlers_own_timeout_is_its_own(bus: Bus, topic: str) -> None:
    """What it awaits may time out before."""

    async def wait(_: Event) -> None:
        raise TimeoutError

    await bus.subscribe(topic, "g", wait, timeout_s=20)
    with pytest.raises(RequestFailedError, match="internal: TimeoutError"):
        await bus.request(topic, "q", {})


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), float("nan"), "5", True])
async def test_a_limit_is_a_number_of_seconds(bus: Bus, topic: str, timeout_s: Any) -> None:
    """More than 0; None is none."""
    with pytest.raises(HandlerRefusedError, match="timeout_s has to be a number of seconds"):
        await bus.subscribe(topic, "g", Recorder(), timeout_s=timeout_s)
