"""What Prometheus gets: the bus's counters and the server's figures as metric families, made when asked for.

The hot path knows nothing of it. `exporter` serves this collector and runs it in a thread of its own, while the
loop goes on counting: whole dicts are copied in one step, a sum may be one event ahead of its count.

A scrape of 250 groups is 60 ms of work, and whoever works in a thread holds the loop up by 5 ms at each of its
turns (`sys.getswitchinterval`). So the collector rests after every half millisecond: the loop has the interpreter
then.

Durations are in milliseconds, as the names say. The labels are topic, group and a fixed set of statuses, so there
are as many series as topics times groups, never one an event: the oldest unacknowledged entry `<ms>-<sequence>` is
two numbers, its time in seconds and its sequence, because an id as a label would be a new series at every scrape.
A group whose lag the server cannot tell (entries were deleted before it read them) has none; its oldest
unacknowledged time goes on.
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from titan_bus.connections.server_info import HARMLESS
from titan_bus.inspection import GroupState
from titan_bus.observability.counters import LATENCY_BOUNDS_MS, Counters, GroupCounters, Histogram
from titan_bus.observability.metrics.figures import Figures
from titan_bus.version import __version__

_TOPIC = ("topic",)
_GROUP = ("topic", "group")
_BOUNDS = [*(f"{bound:g}" for bound in LATENCY_BOUNDS_MS), "+Inf"]
_SAMPLES_A_TURN = 100
_GROUPS_A_TURN = 10
_REST_S = 0.0001
"""Long enough for the loop's thread to wake up; a sleep of 0 is too short."""
T = TypeVar("T")
_Groups = list[tuple[tuple[str, str], GroupCounters]]


class BusCollector:
    """A collector of `prometheus_client` for one bus.

    Args:
        counters: the bus's counters.
        figures: returns the server's latest figures, None while it is away.
        connected: returns whether the server is connected.
    """

    def __init__(
        self, counters: Counters, figures: Callable[[], Figures | None], connected: Callable[[], bool]
    ) -> None:
        self._counters = counters
        self._figures = figures
        self._connected = connected

    def collect(self) -> Iterator[Metric]:
        """Yield every family, also those without samples, so that names and help texts are always present.

        It sleeps in between, and so does the encoding: do not call it in a loop's thread.
        """
        for family in self._families():
            family.samples = _Restful(family.samples)
            yield family

    def _families(self) -> Iterator[Metric]:
        yield _build()
        connected = self._connected()
        yield GaugeMetricFamily("titan_bus_connected", "Whether the server is there.", int(connected))
        groups: _Groups = [
            ((_readable(topic), _readable(group)), counters)
            for (topic, group), counters in self._counters.groups.copy().items()
        ]
        yield from self._traffic(groups)
        yield from _consumers(groups)
        yield from self._maintenance()
        yield from _server(self._figures() if connected else None)

    def _traffic(self, groups: _Groups) -> Iterator[Metric]:
        messages = CounterMetricFamily(
            "titan_bus_messages",
            "Events by what became of them. Published and publish_failed have no group. An event counts as failed "
            "at every failure of its handler, then as retried or dead_lettered; refused ones are requests with a "
            "refusal for an answer; claimed ones come from a consumer that died.",
            labels=(*_GROUP, "status"),
        )
        for topic, publisher in self._counters.topics.copy().items():
            name = _readable(topic)
            messages.add_metric((name, "", "published"), publisher.published)
            messages.add_metric((name, "", "publish_failed"), publisher.failed)
        for labels, group in groups:
            messages.add_metric((*labels, "handled"), group.handled)
            messages.add_metric((*labels, "failed"), group.failed)
            messages.add_metric((*labels, "refused"), group.refused)
            messages.add_metric((*labels, "retried"), group.retried)
            messages.add_metric((*labels, "dead_lettered"), group.dead)
            messages.add_metric((*labels, "expired"), group.expired)
            messages.add_metric((*labels, "claimed"), group.claimed)
        yield messages

    def _maintenance(self) -> Iterator[Metric]:
        trimmed = CounterMetricFamily(
            "titan_bus_trimmed", "Entries that `maxlen` removed from a stream.", labels=_TOPIC
        )
        for topic, publisher in self._counters.topics.copy().items():
            trimmed.add_metric((_readable(topic),), publisher.trimmed)
        yield trimmed
        yield CounterMetricFamily(
            "titan_bus_archived", "Events that this bus wrote to the archive.", self._counters.archived
        )
        yield CounterMetricFamily(
            "titan_bus_archive_failures",
            "Rounds in which the archive could not be written.",
            self._counters.archive_failures,
        )


def _build() -> Metric:
    build = GaugeMetricFamily(
        "titan_bus_build_info", "Always 1; the labels say what runs.", labels=("version", "python")
    )
    build.add_metric((__version__, platform.python_version()), 1)
    return build


def _consumers(groups: _Groups) -> Iterator[Metric]:
    yield _histogram(
        "titan_bus_processing_latency_ms",
        "Milliseconds from publish to the outcome on handled events, by the clocks of both machines.",
        ((labels, group.latency) for labels, group in groups),
    )
    yield _histogram(
        "titan_bus_handler_duration_ms",
        "Milliseconds in the handler alone, whether it returned or raised.",
        ((labels, group.handling) for labels, group in groups),
    )
    displaced = CounterMetricFamily(
        "titan_bus_dead_letters_displaced",
        "Dead letters, of whatever group, that were removed to make room for this group's.",
        labels=_GROUP,
    )
    in_flight = GaugeMetricFamily(
        "titan_bus_in_flight", "Events that this consumer holds now.", labels=_GROUP
    )
    waiting = CounterMetricFamily(
        "titan_bus_rate_limit_waiting_ms", "Milliseconds that events waited for a rate limit.", labels=_GROUP
    )
    for labels, group in groups:
        displaced.add_metric(labels, group.displaced)
        in_flight.add_metric(labels, group.in_flight)
        waiting.add_metric(labels, group.limited_ms)
    yield from (displaced, in_flight, waiting)


def _histogram(name: str, meaning: str, groups: Iterable[tuple[tuple[str, str], Histogram]]) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=_GROUP)
    for labels, histogram in _resting(groups, _GROUPS_A_TURN):
        count, buckets = 0, []
        for bound, more in zip(_BOUNDS, histogram.buckets.copy(), strict=True):
            count += more  # Prometheus buckets are cumulative
            buckets.append((bound, float(count)))
        family.add_metric(labels, buckets, histogram.total_ms)
    return family


def _server(figures: Figures | None) -> Iterator[Metric]:
    length = GaugeMetricFamily(
        "titan_bus_stream_length", "Entries that the stream of a topic holds.", labels=_TOPIC
    )
    letters = GaugeMetricFamily("titan_bus_dead_letters", "Dead letters on the server, of all topics.")
    deletes = GaugeMetricFamily(
        "titan_bus_server_deletes_keys",
        "1 when the server's maxmemory-policy deletes keys when its memory is full, 0 when it deletes none.",
        labels=("policy",),
    )
    if figures is not None:
        letters.add_metric((), figures.dead_letters)
        if figures.eviction is not None:
            deletes.add_metric((figures.eviction,), int(figures.eviction != HARMLESS))
        for topic, entries in figures.lengths.items():
            length.add_metric((_readable(topic),), entries)
    yield from (length, letters, deletes)
    yield from _groups(figures.groups if figures is not None else ())
    yield from _archive(figures.archive if figures is not None else ())


def _groups(states: Iterable[GroupState]) -> Iterator[Metric]:
    lag = GaugeMetricFamily("titan_bus_lag", "Events not yet delivered to the group.", labels=_GROUP)
    pending = GaugeMetricFamily(
        "titan_bus_pending", "Events delivered to the group and not acknowledged.", labels=_GROUP
    )
    delayed = GaugeMetricFamily(
        "titan_bus_delayed", "Failed events that wait for their next try, or are at it.", labels=_GROUP
    )
    oldest = GaugeMetricFamily(
        "titan_bus_oldest_unacknowledged_timestamp_seconds",
        "When the oldest entry came that the group has not acknowledged, delivered or not, by the server's clock: "
        "the first half of its id. Without one there is no sample.",
        labels=_GROUP,
    )
    sequence = GaugeMetricFamily(
        "titan_bus_oldest_unacknowledged_sequence", "The second half of that entry's id.", labels=_GROUP
    )
    for state in states:
        labels = (_readable(state.topic), _readable(state.group))
        if state.lag is not None:
            lag.add_metric(labels, state.lag)
        pending.add_metric(labels, state.pending)
        delayed.add_metric(labels, state.retrying)
        if state.oldest_id is not None:
            at_ms, _, number = state.oldest_id.partition("-")
            oldest.add_metric(labels, int(at_ms) / 1000)
            sequence.add_metric(labels, int(number))
    yield from (lag, pending, delayed, oldest, sequence)


def _archive(states: Iterable[GroupState]) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "titan_bus_archive_lag", "Events that the archive does not have yet.", labels=_TOPIC
    )
    oldest = GaugeMetricFamily(
        "titan_bus_archive_oldest_timestamp_seconds",
        "When the oldest event came that the archive does not have yet, by the server's clock.",
        labels=_TOPIC,
    )
    for state in states:
        labels = (_readable(state.topic),)
        if state.lag is not None:
            lag.add_metric(labels, state.lag)
        if state.oldest_id is not None:
            oldest.add_metric(labels, int(state.oldest_id.partition("-")[0]) / 1000)
    yield from (lag, oldest)


class _Restful(list[T]):
    """A list that lets other threads run during iteration."""

    def __iter__(self) -> Iterator[T]:
        return _resting(super().__iter__(), _SAMPLES_A_TURN)


def _resting(items: Iterable[T], turn: int) -> Iterator[T]:
    for number, item in enumerate(items, 1):
        yield item
        if number % turn == 0:
            time.sleep(_REST_S)


def _readable(name: str) -> str:
    """Return a name that UTF-8 can encode; the text format escapes the rest."""
    return name.encode("utf-8", "backslashreplace").decode()
