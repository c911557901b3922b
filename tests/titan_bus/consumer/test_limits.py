"""Rate limits, on a simulated clock."""

import asyncio
import time
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.titan_bus.conftest import WAIT_S, Recorder, pending, pending_is, until
from titan_bus import Bus, BusConfig, Event, StreamConfig, names
from titan_bus.connections.connection import Connection
from titan_bus.consumer.limits import RateLimit, pass_through

rates = st.floats(0.1, 1_000)
pauses = st.lists(st.floats(0, 3), max_size=30)
many = settings(deadline=None, max_examples=200, database=None)


class Clock:
    """A clock that `sleep` moves forward."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def passages(rate: float, pauses: list[float]) -> list[float]:
    """Return the times at which waiters pass that arrive together after each pause, some more than a burst."""
    clock = Clock()
    limit = RateLimit(rate, clock, clock.sleep)
    times = []
    for pause in (*pauses, 0.0):
        clock.now += pause
        for _ in range(min(int(rate) + 2, 20)):
            await pass_through([limit])
            times.append(clock.now)
    return times


@many
@given(rates, pauses)
def test_a_rate_is_never_exceeded(rate: float, pauses: list[float]) -> None:
    """In no window of time do more pass than burst and rate allow."""
    times = asyncio.run(passages(rate, pauses))
    burst = max(1.0, rate)
    for first, begin in enumerate(times):
        for window in (0.0, 0.5 / rate, 1 / rate, 1.0, 7.3):
            passed = bisect_right(times, begin + window) - first
            assert passed <= burst + rate * window + 1e-6


@many
@given(rates, st.integers(1, 100))
def test_no_wait_is_longer_than_the_rate_requires(rate: float, count: int) -> None:
    """A waiter that arrives after a long pause waits only for what is beyond the burst."""
    clock = Clock()

    async def run() -> None:
        limit = RateLimit(rate, clock, clock.sleep)
        for _ in range(count):
            await pass_through([limit])

    asyncio.run(run())
    assert clock.now - 1_000.0 <= max(0.0, count - max(1.0, rate)) / rate + 1e-6


@many
@given(rates, rates, st.integers(1, 100))
def test_of_two_limits_both_hold(one: float, other: float, count: int) -> None:
    """Passing two limits takes as long as the slower one needs, and exceeds neither."""
    clock = Clock()
    times = []

    async def run() -> None:
        limits = [RateLimit(rate, clock, clock.sleep) for rate in (one, other)]
        for _ in range(count):
            await pass_through(limits)
            times.append(clock.now)

    asyncio.run(run())
    for rate in (one, other):
        for n, begin in enumerate(times):
            assert bisect_right(times, begin + 1.0) - n <= max(1.0, rate) + rate + 1e-6


async def test_waiters_are_served_in_order() -> None:
    """Waiters are served in order: of two that queue again at once, each gets every other token."""
    clock = Clock()
    limit = RateLimit(1.0, clock, clock.sleep)
    await pass_through([limit])
    served: list[str] = []

    async def consume(name: str) -> None:
        for _ in range(10):
            await pass_through([limit])
            served.append(name)

    await asyncio.gather(consume("a"), consume("b"))
    assert sorted(served[:2]) == sorted(served[8:10]) == ["a", "b"]
    assert served[:10].count("a") == 5


async def test_a_cancelled_waiter_takes_no_token() -> None:
    """A waiter cancelled at the second limit takes no token of the first."""
    clock = Clock()
    never = asyncio.Event()

    async def sleep(_: float) -> None:
        await never.wait()

    first, second = RateLimit(1.0, clock, sleep), RateLimit(1.0, clock, sleep)
    await pass_through([second])
    waiter = asyncio.create_task(pass_through([first, second]))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    async with asyncio.timeout(WAIT_S):
        await pass_through([first])


class Timed(Recorder):
    """A recorder that also keeps the times."""

    def __init__(self) -> None:
        super().__init__(lambda _: self.times.append(time.monotonic()))
        self.times: list[float] = []


def slowest_allowed(times: list[float], rate: float) -> bool:
    """Whether in no window more than burst and rate allow have passed."""
    return all(
        later - first <= rate + rate * (times[later] - times[first]) + 1e-6
        for first in range(len(times))
        for later in range(first, len(times))
    )


async def test_a_topic_has_its_limit_and_others_go_on(redis_url: str, topic: str) -> None:
    """A topic's limit holds on the server, and does not delay a topic without one."""
    limited, free = topic, f"{topic}.free"
    config = BusConfig(url=redis_url, streams=(StreamConfig(name=limited, rate_limit=50),))
    slow, quick = Timed(), Recorder()
    async with Bus(config) as bus:
        await bus.subscribe(limited, "g", slow)
        await bus.subscribe(free, "g", quick)
        await asyncio.gather(*[bus.publish(limited, "e", {}) for _ in range(80)])
        await until(lambda: len(slow.events) >= 50, "the burst")
        await bus.publish(free, "e", {})
        await quick.wait_for(1)
        assert len(slow.events) < 80
        await slow.wait_for(80)
        assert bus.counters.group(limited, "g").limited_ms > 0
        assert bus.counters.group(free, "g").limited_ms == 0
    assert slowest_allowed(slow.times, 50)


async def test_the_bus_has_one_limit_for_all_its_topics(redis_url: str, topic: str) -> None:
    """What two topics handle together stays below the limit of the bus, and neither is left out."""
    recorders = [Timed(), Timed()]
    async with Bus(BusConfig(url=redis_url, rate_limit=50)) as bus:
        for n, recorder in enumerate(recorders):
            await bus.subscribe(f"{topic}.{n}", "g", recorder)
            await asyncio.gather(*[bus.publish(f"{topic}.{n}", "e", {}) for _ in range(100)])
        await until(lambda: sum(len(r.events) for r in recorders) >= 90, "the burst and some more")
        times = sorted(recorders[0].times + recorders[1].times)
        assert all(len(recorder.events) > 10 for recorder in recorders)
    assert slowest_allowed(times, 50)


async def test_waiting_for_a_limit_keeps_the_claim_and_ends_at_stop(
    redis_url: str, raw: Connection, topic: str
) -> None:
    """An event that waits for a token is not claimed by another consumer, and `stop` does not wait for it."""
    limited = StreamConfig(name=topic, rate_limit=0.001)
    config = BusConfig(url=redis_url, consumer="slow", streams=(limited,), drain_s=60.0)
    recorder = Recorder()
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", recorder)
        for _ in range(3):
            await bus.publish(topic, "e", {})
        await recorder.wait_for(1)
        await pending_is(raw, names.stream_of(topic), "g", 2)
        claims = subscription._processor._claims
        await asyncio.sleep(0.05)
        await claims.refresh()
        rows = await raw.call("XPENDING", names.stream_of(topic), "g", "-", "+", 10)
        assert [row[2] < 50 for row in rows] == [True, True]
        async with asyncio.timeout(WAIT_S):
            await subscription.stop()
        assert len(await pending(raw, names.stream_of(topic), "g")) == 2
    assert len(recorder.events) == 1


async def test_a_request_that_expires_while_it_waits_is_dropped(redis_url: str, topic: str) -> None:
    """A request whose deadline passes before the limit lets it through is acknowledged and not handled."""
    limited = StreamConfig(name=topic, rate_limit=2)
    handled: list[str] = []

    async def handle(event: Event) -> None:
        handled.append(event.event_type)

    async with Bus(BusConfig(url=redis_url, streams=(limited,))) as bus:
        await bus.subscribe(topic, "g", handle)
        for _ in range(2):
            await bus.publish(topic, "first", {})
        await until(lambda: len(handled) == 2, "the burst")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await bus.request(topic, "asked", {}, timeout_s=0.05)
        await until(lambda: bus.counters.group(topic, "g").expired == 1, "the end of its time")
    assert "asked" not in handled


async def test_a_worker_at_the_limit_starts_nothing_after_a_pause(redis_url: str, topic: str) -> None:
    """`resize(0)` also stops workers that wait for a token; after `resize(1)` one continues."""
    config = BusConfig(url=redis_url, streams=(StreamConfig(name=topic, rate_limit=50),))
    gate = asyncio.Event()
    recorder = Recorder(lambda _: gate.wait())
    async with Bus(config) as bus:
        subscription = await bus.subscribe(topic, "g", recorder, concurrency=60)
        await asyncio.gather(*[bus.publish(topic, "e", {}) for _ in range(100)])
        await recorder.wait_for(50)  # the burst; ten more wait
        await until(lambda: len(subscription._processor._gate._waiting) == 10, "ten at the gate")
        subscription.resize(0)
        begun = len(recorder.events)
        await until(lambda: not subscription._processor._gate._waiting, "nobody at the gate")
        assert len(recorder.events) == begun
        gate.set()
        subscription.resize(1)
        await recorder.wait_for(100)
    assert len(set(recorder.ids)) == 100
