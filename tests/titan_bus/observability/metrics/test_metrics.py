"""Metrics, as Prometheus finds them on a real bus with a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, Server
from tests.titan_bus.scraping import Scrape, scrape, scraped
from titan_bus import (
    Bus,
    BusConfig,
    BusUnavailableError,
    ClaimConfig,
    FatalError,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
    StreamConfig,
    names,
)
from titan_bus.config import ArchiveConfig, MetricsConfig
from titan_bus.connections.connection import Connection
from titan_bus.inspection import GroupState, Inspection
from titan_bus.observability.counters import LATENCY_BOUNDS_MS, Counters, Histogram
from titan_bus.observability.metrics.collector import BusCollector

METRICS = MetricsConfig(port=0, every_s=0.01)


@pytest.fixture
def config(config: BusConfig, topic: str) -> BusConfig:
    streams = (StreamConfig(name=topic, maxlen=10, retry_limit=1),)
    return msgspec.structs.replace(config, metrics=METRICS, streams=streams)


async def became(bus: Bus, topic: str, status: str, group: str = "g", count: int = 1) -> Scrape:
    """Wait until so many messages came to a status, and return that scrape."""

    def true(found: Scrape) -> bool:
        value = found.value("titan_bus_messages_total", topic=topic, group=group, status=status)
        return value is not None and value >= count

    return await scraped(bus, true, f"{status} {count}")


def fails(_: object) -> None:
    raise ValueError("no stock")


async def test_published_and_handled(bus: Bus, topic: str) -> None:
    """A publish that the server took and a handler's return are counted, and timed as histograms."""
    await bus.subscribe(topic, "g", Recorder())
    for _ in range(3):
        await bus.publish(topic, "happened", {})
    await became(bus, topic, "published", group="", count=3)
    found = await became(bus, topic, "handled", count=3)
    for name in ("titan_bus_processing_latency_ms", "titan_bus_handler_duration_ms"):
        found = await scraped(
            bus, lambda now, name=name: now.value(f"{name}_count", topic=topic, group="g") == 3, name
        )
        assert found.value(f"{name}_bucket", topic=topic, group="g", le="+Inf") == 3
        assert found.value(f"{name}_bucket", topic=topic, group="g", le="120") is not None
        assert 0 < (found.value(f"{name}_sum", topic=topic, group="g") or 0) < 3 * 10_000


@pytest.mark.logs("goes to the dead letters")
async def test_failed_retried_dead_lettered(bus: Bus, topic: str) -> None:
    """Each failure, each retry and the dead letter at their end are counted, and the letter lies there."""
    before = (
        await scraped(bus, lambda now: now.value("titan_bus_dead_letters") is not None, "figures")
    ).value("titan_bus_dead_letters")
    await bus.subscribe(topic, "g", Recorder(fails))
    await bus.publish(topic, "happened", {})
    found = await became(bus, topic, "dead_lettered")
    assert found.value("titan_bus_messages_total", topic=topic, group="g", status="failed") == 2
    assert found.value("titan_bus_messages_total", topic=topic, group="g", status="retried") == 1
    assert found.value("titan_bus_messages_total", topic=topic, group="g", status="handled") == 0
    assert before is not None
    await scraped(bus, lambda now: (now.value("titan_bus_dead_letters") or 0) > before, "the dead letter")


@pytest.mark.logs("goes to the dead letters")
async def test_fatal_error_is_counted_once(bus: Bus, topic: str) -> None:
    """A fatal error is one failure and one dead letter, and no retry."""

    def fault(_: object) -> None:
        raise FatalError

    await bus.subscribe(topic, "g", Recorder(fault))
    await bus.publish(topic, "happened", {})
    found = await became(bus, topic, "dead_lettered")
    assert found.value("titan_bus_messages_total", topic=topic, group="g", status="failed") == 1
    assert found.value("titan_bus_messages_total", topic=topic, group="g", status="retried") == 0


async def test_refused_request(bus: Bus, topic: str) -> None:
    """A refusal is an answer: counted as refused, and not as a failure of the handler."""

    def refuse(_: object) -> None:
        raise RequestRefused("no_such_page")

    await bus.subscribe(topic, "g", Recorder(refuse))
    with pytest.raises(RequestFailedError):
        await bus.request(topic, "page", {})
    found = await became(bus, topic, "refused")
    for status in ("failed", "handled", "retried", "dead_lettered"):
        assert found.value("titan_bus_messages_total", topic=topic, group="g", status=status) == 0


async def test_latency_has_the_retries_in_it(config: BusConfig, topic: str) -> None:
    """An event that is handled at its second try took from its publish on; both runs of the handler are timed."""

    def fault(_: object) -> None:
        if len(recorder.events) == 1:
            raise ValueError("no stock")

    recorder = Recorder(fault)
    slow = msgspec.structs.replace(config, retry=msgspec.structs.replace(config.retry, base_s=0.1, cap_s=0.1))
    async with Bus(slow) as bus:
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "happened", {})
        found = await became(bus, topic, "handled")
    labels = {"topic": topic, "group": "g"}
    assert (found.value("titan_bus_processing_latency_ms_sum", **labels) or 0) >= 50
    assert found.value("titan_bus_handler_duration_ms_count", **labels) == 2


async def test_expired_request(bus: Bus, topic: str) -> None:
    """A request that is taken after its deadline is counted as expired, not as handled."""
    with pytest.raises(RequestTimedOutError):
        await bus.request(topic, "page", {}, timeout_s=0.005)
    await asyncio.sleep(0.005)  # the deadline is told in whole milliseconds
    await bus.subscribe(topic, "g", Recorder())
    found = await became(bus, topic, "expired")
    assert found.value("titan_bus_messages_total", topic=topic, group="g", status="handled") == 0


async def test_claimed(config: BusConfig, bus: Bus, raw: Connection, topic: str) -> None:
    """Events taken over from a consumer that is gone are counted."""
    stream = names.stream_of(topic)
    await bus.publish(topic, "happened", {})
    await raw.call("XGROUP", "CREATE", stream, "g", "0")
    await raw.call("XREADGROUP", "GROUP", "g", "the dead", "STREAMS", stream, ">")
    quick = msgspec.structs.replace(config, claim=ClaimConfig(min_idle_s=0.02))
    async with Bus(quick) as other:
        await other.subscribe(topic, "g", Recorder())
        await became(other, topic, "claimed")


async def test_publish_failed(server: Server, topic: str) -> None:
    """A publish whose time ran out is counted as failed, and not as published."""
    async with Bus(BusConfig(url=server.url, metrics=METRICS, patience_s=0.05)) as bus:
        await bus.publish(topic, "happened", {})
        server.kill()
        with pytest.raises(BusUnavailableError):
            await bus.publish(topic, "happened", {})
        found = await became(bus, topic, "publish_failed", group="")
        assert found.value("titan_bus_messages_total", topic=topic, group="", status="published") == 1


async def test_in_flight_and_pending(bus: Bus, topic: str) -> None:
    """While a handler runs, its event is in flight here and pending on the server; then it is neither."""
    go_on = asyncio.Event()
    await bus.subscribe(topic, "g", Recorder(lambda _: go_on.wait()))
    await bus.publish(topic, "happened", {})
    labels = {"topic": topic, "group": "g"}
    await scraped(
        bus,
        lambda now: (
            now.value("titan_bus_in_flight", **labels) == now.value("titan_bus_pending", **labels) == 1
        ),
        "one in flight",
    )
    go_on.set()
    await scraped(
        bus,
        lambda now: (
            now.value("titan_bus_in_flight", **labels) == now.value("titan_bus_pending", **labels) == 0
        ),
        "none in flight",
    )


async def test_groups_of_other_programs(bus: Bus, raw: Connection, topic: str) -> None:
    """A publisher shows the lag of groups that nobody serves, and the id of what they have not acknowledged."""
    stream = names.stream_of(topic)
    await bus.publish(topic, "happened", {})
    await bus.publish(topic, "happened", {})
    await raw.call("XGROUP", "CREATE", stream, "idle", "0")
    labels = {"topic": topic, "group": "idle"}
    found = await scraped(bus, lambda now: now.value("titan_bus_lag", **labels) == 2, "its lag")
    assert found.value("titan_bus_stream_length", topic=topic) == 2
    ((entry_id, _), *_) = await raw.call("XRANGE", stream, "-", "+")
    seconds = found.value("titan_bus_oldest_unacknowledged_timestamp_seconds", **labels)
    sequence = found.value("titan_bus_oldest_unacknowledged_sequence", **labels)
    assert f"{round((seconds or 0) * 1000)}-{sequence:.0f}" == entry_id.decode()


async def test_lag_that_the_server_cannot_tell(bus: Bus, raw: Connection, topic: str) -> None:
    """After a deletion the lag is left out, not guessed; the oldest unacknowledged time goes on."""
    stream = names.stream_of(topic)
    for _ in range(3):
        await bus.publish(topic, "happened", {})
    entries = await raw.call("XRANGE", stream, "-", "+")
    await raw.call("XGROUP", "CREATE", stream, "idle", entries[0][0])
    await raw.call("XDEL", stream, entries[1][0])
    labels = {"topic": topic, "group": "idle"}
    oldest = "titan_bus_oldest_unacknowledged_timestamp_seconds"
    expected = int(entries[2][0].partition(b"-")[0]) / 1000
    found = await scraped(bus, lambda now: now.value(oldest, **labels) == expected, "the oldest")
    assert found.value("titan_bus_lag", **labels) is None


async def test_nothing_unacknowledged(bus: Bus, topic: str) -> None:
    """A group that has acknowledged everything has no oldest unacknowledged entry."""
    await bus.subscribe(topic, "g", Recorder())
    await bus.publish(topic, "happened", {})
    labels = {"topic": topic, "group": "g"}
    await became(bus, topic, "handled")
    found = await scraped(
        bus,
        lambda now: now.value("titan_bus_pending", **labels) == now.value("titan_bus_lag", **labels) == 0,
        "all acknowledged",
    )
    assert found.value("titan_bus_oldest_unacknowledged_timestamp_seconds", **labels) is None


async def test_delayed(config: BusConfig, topic: str) -> None:
    """A failed event that waits for its next try is counted as delayed."""
    slow = msgspec.structs.replace(config, retry=msgspec.structs.replace(config.retry, base_s=30, cap_s=30))
    async with Bus(slow) as bus:
        await bus.subscribe(topic, "g", Recorder(fails))
        await bus.publish(topic, "happened", {})
        await scraped(bus, lambda now: now.value("titan_bus_delayed", topic=topic, group="g") == 1, "delayed")


async def test_trimmed(bus: Bus, topic: str) -> None:
    """What `maxlen` removes is counted."""
    await asyncio.gather(*(bus.publish(topic, "happened", {}) for _ in range(500)))
    found = await scraped(bus, lambda now: now.value("titan_bus_trimmed_total", topic=topic), "trimmed")
    assert 0 < (found.value("titan_bus_trimmed_total", topic=topic) or 0) <= 490


async def test_rate_limit_waiting(config: BusConfig, topic: str) -> None:
    """The time that events wait for a rate limit is counted."""
    limited = msgspec.structs.replace(config, rate_limit=50.0)
    async with Bus(limited) as bus:
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        await asyncio.gather(*(bus.publish(topic, "happened", {}) for _ in range(60)))
        await scraped(
            bus,
            lambda now: now.value("titan_bus_rate_limit_waiting_ms_total", topic=topic, group="g"),
            "waiting",
        )


async def test_server_away(server: Server, topic: str) -> None:
    """Without a server, connected is 0 and the server's figures are gone, not old; the counters stay."""
    async with Bus(BusConfig(url=server.url, metrics=METRICS)) as bus:
        await bus.publish(topic, "happened", {})
        before = await scraped(bus, lambda now: now.value("titan_bus_stream_length", topic=topic), "figures")
        assert before.value("titan_bus_connected") == 1
        server.kill()
        found = await scraped(bus, lambda now: now.value("titan_bus_connected") == 0, "not connected")
        assert found.value("titan_bus_stream_length", topic=topic) is None
        assert found.value("titan_bus_dead_letters") is None
        assert found.value("titan_bus_messages_total", topic=topic, group="", status="published") == 1
        server.start()
        await scraped(bus, lambda now: now.value("titan_bus_stream_length", topic=topic), "figures again")


async def test_refused_figures(server: Server, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server user without the right to ask is said once, and the counters go on."""
    async with Bus(BusConfig(url=server.url, metrics=METRICS)) as bus:
        await bus.publish(topic, "happened", {})
        await scraped(bus, lambda now: now.value("titan_bus_stream_length", topic=topic), "figures")
        await bus._connection.call("ACL", "SETUSER", "default", "-xlen")
        found = await scraped(
            bus, lambda now: now.value("titan_bus_stream_length", topic=topic) is None, "no figures"
        )
        rounds: list[Callable[[], Awaitable[None]]] = [bus._maintenance._exporter._watch.round] * 3  # type: ignore[union-attr]  # it is open
        for once in rounds:
            await once()
        assert found.value("titan_bus_connected") == 1
        assert found.value("titan_bus_messages_total", topic=topic, group="", status="published") == 1
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "titan-bus acl --metrics" in record.getMessage()


async def test_figures_that_nobody_understands(
    bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a look stumbles over, the figures are gone then, not old; the next look that works has them."""
    await bus.publish(topic, "happened", {})
    await scraped(bus, lambda now: now.value("titan_bus_stream_length", topic=topic), "figures")

    async def odd(_: object, topic: str) -> list[GroupState]:
        raise ValueError(topic)

    with monkeypatch.context() as patched:
        patched.setattr(Inspection, "groups", odd)
        await scraped(bus, lambda now: now.value("titan_bus_dead_letters") is None, "no figures")
    await scraped(bus, lambda now: now.value("titan_bus_stream_length", topic=topic), "figures again")
    assert topic in caplog.text
    caplog.clear()


HOSTILE = ('a"} 1\nb', "\\", "{topic}", "x" * 1_000, "тема", "a\x00b", "\ud800")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """Whatever a topic or a group is called, the text stays one that Prometheus can read."""
    from prometheus_client import CollectorRegistry, generate_latest

    counters = Counters()
    counters.topic(name).published = 7
    counters.group(name, name).handled = 8
    registry = CollectorRegistry()
    registry.register(BusCollector(counters, lambda: None, lambda: False))
    found = Scrape(generate_latest(registry).decode())
    values = [value for (sample, _), value in found.samples.items() if sample == "titan_bus_messages_total"]
    assert sorted(values) == [0, 0, 0, 0, 0, 0, 0, 7, 8]


async def test_build_info(bus: Bus) -> None:
    """What runs is told as labels of a constant."""
    (labels,) = (await scrape(bus)).labels("titan_bus_build_info")
    assert set(labels) == {"version", "python"}
    assert labels["version"] != "unknown"


async def test_series_grow_with_groups_alone(bus: Bus, topic: str) -> None:
    """A thousand more events bring no further series."""
    await bus.subscribe(topic, "g", Recorder())

    async def series(count: int) -> set[object]:
        await asyncio.gather(*(bus.publish(topic, f"event{n}", {}) for n in range(count)))
        labels = {"topic": topic, "group": "g"}
        found = await scraped(
            bus,
            lambda now: (
                now.value("titan_bus_lag", **labels) == now.value("titan_bus_pending", **labels) == 0
                # Asked for a moment later or earlier: it is told only while there is one.
                and not any("oldest_unacknowledged" in name and topic in str(of) for name, of in now.samples)
            ),
            "all handled",
        )
        return set(found.samples)

    few = await series(1)
    assert await series(1_000) == few


def test_histogram_buckets() -> None:
    """A duration falls into the first bucket whose bound is not below it, the longest into the last."""
    histogram = Histogram()
    for duration_ms in (0.0, 0.5, 0.6, 120, 120.1, 1e9):
        histogram.observe(duration_ms)
    assert histogram.buckets[0] == 2
    assert histogram.buckets[1] == 1
    assert histogram.buckets[LATENCY_BOUNDS_MS.index(120)] == 1
    assert histogram.buckets[LATENCY_BOUNDS_MS.index(120) + 1] == 1
    assert histogram.buckets[-1] == 1
    assert sum(histogram.buckets) == 6


async def test_archived(server: Server, topic: str, tmp_path: Path) -> None:
    """What goes to the archive is counted; what it does not have yet is its lag, and not that of a group."""
    archive = ArchiveConfig(target=str(tmp_path / "archive"), every_s=0.05, topics=(topic,))
    async with Bus(BusConfig(url=server.url, metrics=METRICS, archive=archive)) as bus:
        await asyncio.gather(*(bus.publish(topic, "happened", {}) for _ in range(5)))
        found = await scraped(
            bus,
            lambda now: (
                now.value("titan_bus_archived_total") == 5
                and "titan_bus_archive_oldest_timestamp_seconds" not in {name for name, _ in now.samples}
                and now.value("titan_bus_archive_lag", topic=topic) == 0
            ),
            "archived",
        )
        assert found.value("titan_bus_archive_failures_total") == 0
        assert found.labels("titan_bus_lag") == []


@pytest.mark.logs("keep what could not be archived")
async def test_archive_failure(server: Server, topic: str, tmp_path: Path) -> None:
    """A round in which the archive could not be written is counted, and what waits for it can be seen."""
    (tmp_path / "file").write_text("in the way")
    archive = ArchiveConfig(target=str(tmp_path / "file" / "archive"), every_s=0.05, topics=(topic,))
    async with Bus(BusConfig(url=server.url, metrics=METRICS, archive=archive)) as bus:
        await bus.publish(topic, "happened", {})
        found = await scraped(bus, lambda now: now.value("titan_bus_archive_failures_total"), "failures")
        assert found.value("titan_bus_archived_total") == 0
