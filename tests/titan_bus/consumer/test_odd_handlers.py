"""Unusual handlers and malformed entries."""

import asyncio
import contextvars
from collections.abc import Callable

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, pending_is, settled, until
from titan_bus import Bus, BusConfig, ClaimConfig, Event, FatalError, Handlers, ReadConfig, names
from titan_bus.connections.connection import Connection

tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


class Unusual(BaseException):
    """Neither an Exception nor KeyboardInterrupt, SystemExit or GeneratorExit."""


async def test_a_base_exception_is_an_outcome(bus: Bus, raw: Connection, topic: str) -> None:
    """A BaseException from a handler leads to a retry; the event does not stay in flight."""
    raised = iter([Unusual("odd"), BaseExceptionGroup("some", [Unusual("odd")])])

    async def handle(event: Event) -> None:
        recorder.events.append(event)
        if (error := next(raised, None)) is not None:
            raise error

    recorder = Recorder()
    await bus.subscribe(topic, "g", handle)
    event_id = await bus.publish(topic, "e", {})
    await until(lambda: len(recorder.events) == 3, "three attempts")
    await settled(raw, names.stream_of(topic), "g")
    assert set(recorder.ids) == {event_id}


async def test_a_context_variable_ends_with_its_event(bus: Bus, topic: str) -> None:
    """The next event does not see what a handler sets; each sees what was set around `subscribe`."""
    seen: list[str] = []
    done = asyncio.Event()

    async def handle(event: Event) -> None:
        seen.append(tenant.get())
        tenant.set(event.payload_as(dict)["tenant"])
        if len(seen) == 50:
            done.set()

    token = tenant.set("everybody")
    await bus.subscribe(topic, "g", handle, concurrency=2)
    tenant.reset(token)
    await asyncio.gather(*(bus.publish(topic, "e", {"tenant": f"t{n}"}) for n in range(50)))
    async with asyncio.timeout(30):
        await done.wait()
    assert set(seen) == {"everybody"}


async def test_an_event_without_a_handler_is_acknowledged(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """Also in a group with `auto_ack=False`, where it would stay in flight for ever."""
    handlers, taken = Handlers(), Recorder()

    @handlers.on(topic, "g", event_type="wanted", auto_ack=False)
    async def handle(event: Event) -> None:
        await taken(event)

    async with Bus(msgspec.structs.replace(config, read=ReadConfig(count=2)), handlers) as bus:
        await asyncio.gather(*(bus.publish(topic, "other", {}) for _ in range(50)))
        event_id = await bus.publish(topic, "wanted", {})
        await taken.wait_for(1)
        await bus.ack(event_id)
        await settled(raw, names.stream_of(topic), "g")


@pytest.mark.parametrize("error", [ValueError("no key"), Unusual("no key")])
async def test_a_failing_partition_by_delays_no_other_event(
    bus: Bus, raw: Connection, topic: str, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """An event for which `partition_by` raises is dead-lettered, and the group's other topics are read on."""

    def key_of(event: Event) -> str:
        if event.event_type == "bad":
            raise error
        return event.event_type

    recorder, beside = Recorder(), Recorder()
    await bus.subscribe(topic, "g", recorder, partition_by=key_of)
    await bus.subscribe(f"{topic}.beside", "g", beside)
    await bus.publish(topic, "bad", {})
    good = await bus.publish(topic, "good", {})
    await bus.publish(f"{topic}.beside", "e", {})
    await recorder.wait_for(1)
    await beside.wait_for(1)
    await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == [good]
    assert await bus.dead_letters.count(topic=topic) == 1


class Incomparable:
    """A key that hashes, and raises when it is compared with another."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Incomparable) or self.name != other.name:
            raise TypeError("not comparable")
        return True


@pytest.mark.logs(": entry ")
async def test_a_key_that_cannot_be_compared_is_a_dead_letter(bus: Bus, raw: Connection, topic: str) -> None:
    """The event with such a key is dead-lettered, and the others of its batch are handled."""
    recorder = Recorder()
    ids = await asyncio.gather(*(bus.publish(topic, "e", {"key": key}) for key in "aaabaa"))
    await bus.subscribe(
        topic, "g", recorder, partition_by=lambda event: Incomparable(event.payload_as(dict)["key"])
    )
    await recorder.wait_for(5)
    await settled(raw, names.stream_of(topic), "g")
    assert recorder.ids == ids[:3] + ids[4:]


@pytest.mark.logs(": entry ")
async def test_an_entry_of_very_many_fields_is_kept(bus: Bus, raw: Connection, topic: str) -> None:
    """A foreign entry with more fields than a script can write becomes a dead letter with all its fields."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    words = [word for n in range(4_500) for word in (f"name{n}", "value")]
    await raw.call("XADD", names.stream_of(topic), "*", *words)
    await until(lambda: bus.dead_letters.count(topic=topic), "the dead letter")
    await settled(raw, names.stream_of(topic), "g")
    [letter] = await bus.dead_letters.list(topic=topic)
    assert len(letter.fields) == 4_500


async def test_poison_that_cannot_be_dead_lettered_stops_no_reading(
    server, config: BusConfig, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While `errors.dlq` refuses, an event delivered too often stays pending, and others are handled."""
    config = BusConfig(
        url=server.url,
        consumer="heir",
        claim=ClaimConfig(min_idle_s=0.2, delivery_limit=2),
        retry=config.retry,
    )
    recorder = Recorder()
    stream = names.stream_of(topic)
    async with Bus(config) as bus:
        raw = bus._connection
        await raw.call("SET", names.DEAD_LETTERS, "no stream")
        await raw.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
        await bus.publish(topic, "poison", {})
        [[_, [[entry_id, _]]]] = await raw.call("XREADGROUP", "GROUP", "g", "heir", "STREAMS", stream, ">")
        await raw.call("XCLAIM", stream, "g", "heir", 0, entry_id, "RETRYCOUNT", 9)
        await bus.subscribe(topic, "g", recorder)
        event_id = await bus.publish(topic, "good", {})
        await recorder.wait_for(1)
        assert recorder.ids == [event_id]
        await pending_is(raw, stream, "g", 1)
        await raw.call("DEL", names.DEAD_LETTERS)
        await settled(raw, stream, "g")
        assert await bus.dead_letters.count() == 1
    assert "stays unacknowledged" in caplog.text


class Table:
    """A value whose comparison has no truth, as numpy's and pandas' have."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth value is ambiguous")

    __hash__ = None  # type: ignore[assignment]


frame: contextvars.ContextVar[Table] = contextvars.ContextVar("frame")


async def test_context_variables_are_not_compared(bus: Bus, topic: str) -> None:
    """A handler may set a variable to a value that cannot be compared; the next event is handled."""
    recorder = Recorder(lambda _: frame.set(Table()))
    token = frame.set(Table())
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    frame.reset(token)
    await asyncio.gather(*(bus.publish(topic, "e", {}) for _ in range(20)))
    await recorder.wait_for(20)


@pytest.mark.parametrize("error", [None, FatalError("and over")])
@pytest.mark.parametrize("key", [None, lambda _: "one"])
@pytest.mark.logs("goes to the dead letters")
async def test_a_cancellation_that_comes_too_late_costs_no_event(
    bus: Bus, raw: Connection, topic: str, error: FatalError | None, key: Callable[[Event], str] | None
) -> None:
    """A worker cancelled after its handler returned leaves nothing in flight, and no partition blocked."""
    recorder = Recorder()

    async def handle(event: Event) -> None:
        await recorder(event)
        if len(recorder.events) == 1:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
            if error is not None:
                raise error

    await asyncio.gather(*(bus.publish(topic, "e", {}) for _ in range(5)))
    await bus.subscribe(topic, "g", handle, concurrency=1, partition_by=key)
    await until(lambda: len(set(recorder.ids)) == 5, "all five")
    await until(lambda: not bus.counters.group(topic, "g").in_flight, "nothing in flight")
