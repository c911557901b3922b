"""One consumer: order, concurrency, outcomes."""

import asyncio
import contextlib
import logging
import time
from collections import Counter

import pytest

from tests.titan_bus.conftest import QUICK_RETRY, Recorder, length_is, pending, pending_is, settled, until
from titan_bus import Bus, BusConfig, Event, FatalError, RetryConfig, StreamConfig, names
from titan_bus.connections.connection import Connection
from titan_bus.consumer import workers
from titan_bus.deadletter import DeadLetter


def refuse(event: Event) -> None:
    raise ValueError(f"no {event.event_type}")


async def dead_letters_of(bus: Bus, topic: str) -> list[DeadLetter]:
    """Return the dead letters of a topic, oldest first."""
    return [letter async for letter in bus.dead_letters if topic in letter.origin.stream]


async def dead_letter(bus: Bus, topic: str) -> DeadLetter:
    """Wait for the one dead letter of a topic."""
    await until(lambda: dead_letters_of(bus, topic), "a dead letter")
    [letter] = await dead_letters_of(bus, topic)
    return letter


async def test_a_returning_handler_acknowledges(bus: Bus, raw: Connection, topic: str) -> None:
    """A handled event is acknowledged, once for each group."""
    first, second = Recorder(), Recorder()
    await bus.subscribe(topic, "first", first)
    await bus.subscribe(topic, "second", second)
    ids = [await bus.publish(topic, "e", {}) for _ in range(3)]
    await first.wait_for(3)
    await second.wait_for(3)
    await settled(raw, names.stream_of(topic), "first")
    await settled(raw, names.stream_of(topic), "second")
    assert first.ids == second.ids == ids


async def test_a_new_group_gets_what_was_there_before_it(bus: Bus, topic: str) -> None:
    """A group starts at the beginning; with `start="$"`, at now."""
    await bus.publish(topic, "old", {})
    everything, news = Recorder(), Recorder()
    await bus.subscribe(topic, "everything", everything)
    await bus.subscribe(topic, "news", news, start="$")
    await bus.publish(topic, "new", {})
    assert [event.event_type for event in await everything.wait_for(2)] == ["old", "new"]
    assert [event.event_type for event in await news.wait_for(1)] == ["new"]


async def test_high_comes_before_low_within_a_batch(bus: Bus, topic: str) -> None:
    """A batch is handled by priority, and within one priority in order."""
    for n, priority in enumerate(["low", "medium", "high"] * 5):
        await bus.publish(topic, "e", {"n": n}, priority)
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    events = await recorder.wait_for(15)
    assert [event.meta.priority for event in events] == ["high"] * 5 + ["medium"] * 5 + ["low"] * 5
    assert [event.payload_as(dict)["n"] for event in events[:5]] == [2, 5, 8, 11, 14]


async def test_a_flood_of_high_does_not_starve_low(bus: Bus, topic: str) -> None:
    """A low event inside a flood is handled soon after its own batch, not after the flood."""
    await asyncio.gather(*[bus.publish(topic, "e", {}, "high") for _ in range(300)])
    await bus.publish(topic, "e", {}, "low")
    await asyncio.gather(*[bus.publish(topic, "e", {}, "high") for _ in range(600)])
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    events = await recorder.wait_for(901)
    assert [event.meta.priority for event in events].index("low") <= 400 + 3 + 1


async def test_high_overtakes_what_waits_from_before(bus: Bus, topic: str) -> None:
    """A high event that comes later is handled before the low ones that wait for a busy handler."""
    gate = asyncio.Event()
    recorder = Recorder(lambda _: gate.wait())
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    await asyncio.gather(*[bus.publish(topic, "e", {}, "low") for _ in range(50)])
    await recorder.wait_for(1)
    await bus.publish(topic, "e", {}, "high")
    await until(lambda: bus.counters.group(topic, "g").in_flight == 51, "the high one, read ahead")
    gate.set()
    events = await recorder.wait_for(51)
    assert [event.meta.priority for event in events].index("high") <= 2


@pytest.mark.logs("goes to the dead letters")
async def test_the_outcomes_are_counted(bus: Bus, topic: str) -> None:
    """The counters of a group contain the outcomes of its events and the handling times."""

    def judge(event: Event) -> None:
        if event.event_type == "bad" or (event.event_type == "shaky" and not event.meta.retries):
            raise FatalError("never") if event.event_type == "bad" else ValueError

    await bus.subscribe(topic, "g", Recorder(judge))
    for event_type in ("good", "bad", "shaky"):
        await bus.publish(topic, event_type, {})
    counters = bus.counters.group(topic, "g")
    await until(lambda: counters.handled == 2, "both that can be handled")
    await until(lambda: counters.in_flight == 0, "nothing in flight")
    assert (counters.failed, counters.retried, counters.dead, counters.expired) == (2, 1, 1, 0)
    assert sum(counters.latency.buckets) == 2
    assert sum(counters.handling.buckets) >= 2


async def test_a_handler_that_never_waits_leaves_the_loop_its_turns(bus: Bus, topic: str) -> None:
    """Handlers that block the loop for a millisecond each do not block it for a whole batch."""
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += bool(recorder.events)

    def block(_: Event) -> None:
        time.sleep(0.002)

    await asyncio.gather(*[bus.publish(topic, "e", {}) for _ in range(100)])
    recorder = Recorder(block)
    beating = asyncio.create_task(beat())
    await bus.subscribe(topic, "g", recorder, concurrency=2)
    await recorder.wait_for(100)
    beating.cancel()
    assert turns > 20  # at one stretch it would be one or two


async def test_concurrency_is_bounded(bus: Bus, topic: str) -> None:
    """At most `concurrency` handlers run at once."""
    running, most, gate = Counter[str](), 0, asyncio.Event()

    async def handle(_: Event) -> None:
        nonlocal most
        running["now"] += 1
        most = max(most, running["now"])
        await gate.wait()
        running["now"] -= 1

    recorder = Recorder(handle)
    await bus.subscribe(topic, "g", recorder, concurrency=3)
    await asyncio.gather(*[bus.publish(topic, "e", {}) for _ in range(20)])
    await recorder.wait_for(3)
    gate.set()
    await recorder.wait_for(20)
    assert most == 3


@pytest.mark.by_url
async def test_a_failed_event_comes_again_to_its_group_alone(bus: Bus, raw: Connection, topic: str) -> None:
    """A failed event is retried with `retries` counted, and other groups do not receive it."""
    failing = Recorder(lambda event: refuse(event) if event.meta.retries < 2 else None)
    content = Recorder()
    await bus.subscribe(topic, "failing", failing)
    await bus.subscribe(topic, "content", content)
    event_id = await bus.publish(topic, "e", {"a": "я"})
    events = await failing.wait_for(3)
    assert [event.meta.retries for event in events] == [0, 1, 2]
    assert failing.ids == [event_id] * 3
    assert events[2].payload_as(dict) == {"a": "я"}
    await settled(raw, names.retries_of("failing", topic), "failing")
    await content.wait_for(1)
    assert content.ids == [event_id]
    await length_is(raw, names.retries_of("failing", topic), 0)  # what is done is taken out


@pytest.mark.by_url
async def test_after_the_limit_comes_the_dead_letter(
    bus: Bus, config: BusConfig, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Eight retries are nine failures; then the event is in `errors.dlq` with error, traceback and origin."""
    failing = Recorder(refuse)
    await bus.subscribe(topic, "g", failing)
    event_id = await bus.publish(topic, "order", {"n": 1})
    letter = await dead_letter(bus, topic)
    assert [event.meta.retries for event in failing.events] == [*range(9)]
    assert (letter.origin.error, letter.origin.message) == ("ValueError", "no order")
    assert "in refuse" in letter.origin.traceback
    assert (letter.origin.group, letter.origin.stream) == ("g", names.retries_of("g", topic))
    assert letter.origin.at.endswith("Z")
    assert letter.event is not None
    assert letter.event.event_id == event_id
    assert letter.event.payload_as(dict) == {"n": 1}
    assert (await bus.dead_letters.list(1000))[0].letter_id >= letter.letter_id
    assert "goes to the dead letters" in caplog.text


@pytest.mark.logs("goes to the dead letters")
async def test_the_limit_is_the_topics(config: BusConfig, redis_url: str, topic: str) -> None:
    """`retry_limit` of the stream's configuration is used."""
    config = BusConfig(url=redis_url, streams=(StreamConfig(name=topic, retry_limit=1),), retry=QUICK_RETRY)
    failing = Recorder(refuse)
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", failing)
        await bus.publish(topic, "e", {})
        await dead_letter(bus, topic)
    assert len(failing.events) == 2


@pytest.mark.logs("goes to the dead letters")
async def test_a_fatal_error_is_a_dead_letter_at_once(bus: Bus, raw: Connection, topic: str) -> None:
    """An event that fails with FatalError is not retried."""

    def give_up(_: Event) -> None:
        raise FatalError("never")

    failing = Recorder(give_up)
    await bus.subscribe(topic, "g", failing)
    await bus.publish(topic, "e", {})
    letter = await dead_letter(bus, topic)
    assert letter.origin.error == "FatalError"
    assert len(failing.events) == 1
    assert await pending(raw, names.stream_of(topic), "g") == []


@pytest.mark.logs(": entry ")
async def test_a_malformed_entry_is_dead_lettered(bus: Bus, raw: Connection, topic: str) -> None:
    """An entry that is no event is dead-lettered unchanged, and the next event is handled."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await raw.call("XADD", names.stream_of(topic), "*", "e", b"\xff{not json", "other", "\x00")
    event_id = await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    letter = await dead_letter(bus, topic)
    assert recorder.ids == [event_id]
    assert letter.event is None
    assert letter.fields == {"e": b"\xff{not json", "other": b"\x00"}
    assert letter.origin.error == "EntryMalformedError"
    await settled(raw, names.stream_of(topic), "g")


async def test_a_slow_retry_does_not_block_the_stream(redis_url: str, topic: str) -> None:
    """While one event waits for a retry, the others are handled."""
    slow = BusConfig(url=redis_url, retry=RetryConfig(base_s=60.0))
    recorder = Recorder(lambda event: refuse(event) if event.event_type == "bad" else None)
    async with Bus(slow) as bus:
        await bus.subscribe(topic, "g", recorder, concurrency=1)
        await bus.publish(topic, "bad", {})
        await bus.publish(topic, "good", {})
        events = await recorder.wait_for(2)
    assert [event.event_type for event in events] == ["bad", "good"]


async def test_cancellation_never_acknowledges(config: BusConfig, raw: Connection, topic: str) -> None:
    """An event whose handler was cancelled by closing stays pending, and the next start handles it first."""
    stuck = Recorder(lambda _: asyncio.Event().wait())
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", stuck, concurrency=1)
        event_id = await bus.publish(topic, "e", {})
        later = await bus.publish(topic, "e", {})
        await stuck.wait_for(1)
        await subscription.stop(drain_s=0.0)
        assert len(await pending(raw, names.stream_of(topic), "g")) >= 1
    again = Recorder()
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", again)
        await again.wait_for(2)
        await settled(raw, names.stream_of(topic), "g")
    assert again.ids == [event_id, later]


async def test_a_handler_that_cancels_itself_is_not_acknowledged(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A CancelledError raised by a handler is no outcome; the consumer goes on with the next event."""

    def cancel(event: Event) -> None:
        if event.event_type == "bad":
            raise asyncio.CancelledError

    recorder = Recorder(cancel)
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    await bus.publish(topic, "bad", {})
    await bus.publish(topic, "good", {})
    await recorder.wait_for(2)
    await until(lambda: "was cancelled" in caplog.text, "the warning")
    await pending_is(raw, names.stream_of(topic), "g", 1)


async def test_a_handler_that_cancels_its_task_costs_no_slot(bus: Bus, topic: str) -> None:
    """A worker that its handler cancelled is replaced: the next event is handled."""

    def cancel(event: Event) -> object:
        task = asyncio.current_task()
        if event.event_type == "bad" and task is not None:
            task.cancel()
        return asyncio.sleep(0)

    recorder = Recorder(cancel)
    for _ in range(3):
        await bus.publish(topic, "bad", {}, priority="high")
    good = await bus.publish(topic, "good", {})
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    assert (await recorder.wait_for(4))[-1].event_id == good


async def test_stopping_drains(bus: Bus, raw: Connection, topic: str) -> None:
    """`stop` waits for a running handler, and its event is acknowledged."""
    gate = asyncio.Event()
    recorder = Recorder(lambda _: gate.wait())
    subscription = await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    stopping = asyncio.create_task(subscription.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    gate.set()
    await stopping
    assert await pending(raw, names.stream_of(topic), "g") == []


async def test_stopping_is_bounded_though_a_handler_refuses_to_end(
    bus: Bus, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that swallows its cancellation is logged and left running, its event unacknowledged."""
    monkeypatch.setattr(workers, "CANCEL_TIMEOUT_S", 0.1)
    release = asyncio.Event()

    async def refuse() -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    recorder = Recorder(lambda _: refuse())
    subscription = await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    async with asyncio.timeout(30):
        await subscription.stop(0.05)
    assert "did not end" in caplog.text
    await pending_is(raw, names.stream_of(topic), "g", 1)
    release.set()


async def test_a_handler_may_stop_its_own_subscription(bus: Bus, raw: Connection, topic: str) -> None:
    """`stop` from within the handler does not wait for itself, and the event is acknowledged."""
    stopped = asyncio.Event()

    async def handle(_: Event) -> None:
        await subscription.stop()
        stopped.set()

    subscription = await bus.subscribe(topic, "g", handle)
    await bus.publish(topic, "e", {})
    async with asyncio.timeout(2):
        await stopped.wait()
    await settled(raw, names.stream_of(topic), "g")


@pytest.mark.parametrize("destroy", ["stream", "group"])
async def test_a_lost_group_is_created_again(
    bus: Bus, raw: Connection, topic: str, destroy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A consumer goes on when its stream or group is deleted."""
    caplog.set_level(logging.WARNING)
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    await settled(raw, names.stream_of(topic), "g")
    if destroy == "stream":
        await raw.call("DEL", names.stream_of(topic))
    else:
        await raw.call("XGROUP", "DESTROY", names.stream_of(topic), "g")
    event_id = await bus.publish(topic, "e", {})
    await until(lambda: event_id in recorder.ids, "the event after the loss")


async def test_one_group_subscribes_once_to_a_topic(bus: Bus, topic: str) -> None:
    """A second handler of one group in one bus would get half of its events: refused, until the first stops."""
    subscription = await bus.subscribe(topic, "g", Recorder())
    with pytest.raises(ValueError, match="subscribed to"):
        await bus.subscribe(topic, "g", Recorder())
    await subscription.stop()
    await bus.subscribe(topic, "g", Recorder())


async def test_no_task_is_left(config: BusConfig, topic: str) -> None:
    """After closing, no task of the bus is left."""
    before = asyncio.all_tasks()
    async with Bus(config) as bus:
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        tail = bus.tail([topic])
        await tail.start()
        await bus.request(topic, "q", {})
        await recorder.wait_for(1)
    assert asyncio.all_tasks() <= before


class UnspeakableError(Exception):
    """Its `__str__` raises."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("error", [UnspeakableError(), ValueError("a file called \udce4")])
@pytest.mark.logs("goes to the dead letters")
async def test_an_error_without_a_text_is_an_outcome(bus: Bus, topic: str, error: Exception) -> None:
    """An error whose text raises or is not valid UTF-8 does not keep its event from the dead letters."""

    def fails(_: Event) -> None:
        raise error

    await bus.subscribe(topic, "g", Recorder(fails))
    await bus.publish(topic, "e", {})
    assert (await dead_letter(bus, topic)).origin.error == type(error).__name__


async def test_a_cancelled_stop_leaves_its_events_to_others(bus: Bus, raw: Connection, topic: str) -> None:
    """A `stop` that is cancelled leaves its event to others: its idle time is not reset any more."""
    begun = asyncio.Event()

    async def endless(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    subscription = await bus.subscribe(topic, "g", endless)
    processor = bus._subscriptions._processors[0]
    await bus.publish(topic, "e", {})
    await begun.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await subscription.stop(60.0)
    assert not len(processor._in_flight)
    await asyncio.wait(processor._maintenance | processor._workers.running(), timeout=5.0)
    assert all(task.done() for task in processor._maintenance)
    await pending_is(raw, names.stream_of(topic), "g", 1)
