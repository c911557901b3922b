"""What a collection of handlers needs around them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.titan_bus.conftest import Recorder, until
from titan_bus import Bus, BusConfig, Event, HandlerRefusedError, Handlers


async def test_a_lifespan_surrounds_the_handlers(config: BusConfig, topic: str) -> None:
    """It is entered before the first event is handled and left after the last one, when it may still publish."""
    handlers, said = Handlers(), list[str]()

    @handlers.lifespan
    async def pool(bus: Bus) -> AsyncIterator[None]:
        async with asyncio.TaskGroup():  # has to be left by the task that entered it
            said.append("up")
            yield
            await bus.publish(topic, "goodbye", {})
            said.append("down")

    begun = asyncio.Event()

    @handlers.on(topic, "g")
    async def handle(event: Event) -> None:
        begun.set()
        await asyncio.sleep(0.01)
        said.append(event.event_type)

    async with Bus(config) as bus:
        await bus.publish(topic, "e", {})
    async with Bus(config, handlers.wrapped(lambda event, call: call(event))):
        await begun.wait()
    assert said == ["up", "e", "down"]


async def test_lifespans_are_left_in_reverse_and_entered_once(config: BusConfig) -> None:
    """Also when several collections include one, and when they are included later."""
    said: list[str] = []

    def declared(name: str) -> Handlers:
        handlers = Handlers()

        @handlers.lifespan
        @contextlib.asynccontextmanager
        async def surround(_: Bus) -> AsyncIterator[None]:
            said.append(f"+{name}")
            yield
            said.append(f"-{name}")

        return handlers

    first, second, both = declared("first"), declared("second"), Handlers()
    both.include(first, second)
    async with Bus(config, first) as bus:
        await bus.include(both)
    assert said == ["+first", "+second", "-second", "-first"]


async def test_a_lifespan_that_fails_keeps_the_bus_from_opening(config: BusConfig, topic: str) -> None:
    """With its own error; nothing is subscribed, and what was entered before is left."""
    handlers, said = Handlers(), list[str]()

    @handlers.lifespan
    async def first(_: Bus) -> AsyncIterator[None]:
        try:
            yield
        finally:
            said.append("left")

    @handlers.lifespan
    async def second(_: Bus) -> AsyncIterator[None]:
        raise ConnectionError("no database")
        yield

    handlers.on(topic, "g")(Recorder())
    bus = Bus(config, handlers)
    with pytest.raises(ConnectionError, match="no database"):
        await bus.open()
    assert said == ["left"]
    assert not bus._subscriptions._processors


@pytest.mark.logs("a lifespan failed while its handlers run")
async def test_one_that_fails_in_between_is_told_at_once(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    """As a TaskGroup in it does when one of its tasks failed: what the handlers need is gone."""
    handlers, broken = Handlers(), asyncio.Event()

    @handlers.lifespan
    async def group(_: Bus) -> AsyncIterator[None]:
        async def fail() -> None:
            await broken.wait()
            raise ConnectionError("no database")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            yield

    await bus.include(handlers)
    broken.set()
    await until(lambda: "no database" in caplog.text, "it is told")


@pytest.mark.logs("a lifespan failed at its end")
async def test_an_end_that_fails_or_hangs_stops_nothing(config: BusConfig, topic: str) -> None:
    """It is logged, or cancelled after `drain_s`; the others are left, and the bus closes."""
    handlers, said = Handlers(), list[str]()

    @handlers.lifespan
    async def first(_: Bus) -> AsyncIterator[None]:
        try:
            yield
        finally:
            said.append("first")

    @handlers.lifespan
    async def failing(_: Bus) -> AsyncIterator[None]:
        yield
        raise ValueError

    hanging = Handlers()

    @hanging.lifespan
    async def hang(_: Bus) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    async with Bus(config, handlers):
        pass
    assert said == ["first"]
    async with Bus(BusConfig(url=config.url, drain_s=0.05), handlers, hanging):
        pass
    assert said == ["first", "first"]


async def test_a_lifespan_is_what_can_be_entered() -> None:
    """Anything else is refused where it is written."""

    async def no_yield(_: Bus) -> None: ...

    with pytest.raises(HandlerRefusedError, match="one `yield`"):
        Handlers().lifespan(no_yield)  # type: ignore[arg-type]
