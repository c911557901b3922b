"""The configuration of a bus: its server, streams and limits. Frozen structs; `config.file` reads them from YAML.

Each struct makes last those checks that raise, so that a file's other faults are reported before.
"""

import math
import os
import re
import socket
from typing import Literal

import msgspec

from titan_bus.errors import ConfigValueError
from titan_bus.event import Priority

PORT_MAX = 65_535
WHOLE_MAX = 2**53
"""More than any stream or archive has, and the largest number that Lua and JSON represent exactly."""
COUNT_MAX = 2**31 - 1
"""For counts; a larger one was meant as "for ever"."""
READ_COUNT_MAX = 100_000
"""A whole batch is in memory, one for each stream."""
BLOCK_MS_MAX = 600_000
"""Ten minutes. A longer one gains nothing, and one that the server refuses as too long would be tried for ever."""
SECONDS_MAX = 366 * 86_400
"""A year: a longer time was written in another unit, and in milliseconds the server might refuse it."""
DAYS_MAX = 36_525
"""A century, which a date calculation can still subtract."""
_NO_PREFIX = re.compile(r"[\s\x00-\x1f\ud800-\udfff{}*?\[\]^\\()]")
"""What would move keys to other slots of a cluster, be a pattern, or end a word of an ACL rule."""


def _at_least(least: float, most: float, **values: float | None) -> None:
    """Check that these fields are numbers within the bounds; None is skipped."""
    for field, value in values.items():
        if value is not None and not least <= value < math.inf:
            raise ConfigValueError(field, f"has to be {least:g} or more, not {value}")
        _at_most(most, field, value)


def _above_zero(most: float, **values: float | None) -> None:
    """Check that these fields are numbers above 0 and at most `most`; None is skipped."""
    for field, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise ConfigValueError(field, f"has to be more than 0, not {value}")
        _at_most(most, field, value)


def _at_most(most: float, field: str, value: float | None) -> None:
    if value is not None and value > most:
        raise ConfigValueError(field, f"has to be {most} or less, not {value}")


def _named(**values: str) -> None:
    """Check that these fields are not empty."""
    for field, value in values.items():
        if not value:
            raise ConfigValueError(field, "has to be a name, not an empty text")


def _shown(struct: msgspec.Struct, **instead: object) -> str:
    """Return a struct's repr with other values for some fields."""
    values = {name: getattr(struct, name) for name in struct.__struct_fields__} | instead
    return f"{type(struct).__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})"


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic's limits.

    Attributes:
        name: the topic, `chat.v1`.
        maxlen: about how many events the stream keeps. What a group has not acknowledged stays beyond it.
        rate_limit: events a second that each consumer of this bus handles at most; None for no limit.
        retry_limit: how often a failed event is tried again before it goes to the dead letters. Eight retries of
            the default pauses take 32 to 64 s: longer than a database needs to come back.
        trim: "hard" lets `maxlen` remove also what a group has not acknowledged.
    """

    name: str
    maxlen: int = 100_000
    rate_limit: float | None = None
    retry_limit: int = 8
    trim: Literal["safe", "hard"] = "safe"

    def __post_init__(self) -> None:
        _at_least(1, WHOLE_MAX, maxlen=self.maxlen)
        _above_zero(WHOLE_MAX, rate_limit=self.rate_limit)
        _at_least(0, COUNT_MAX, retry_limit=self.retry_limit)
        if self.trim not in {"safe", "hard"}:
            raise ConfigValueError("trim", "has to be safe or hard")
        _named(name=self.name)


class ReadConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a consumer reads: up to `count` events of each stream, waiting at most `block_ms` (1 to 600,000)."""

    block_ms: int = 2_000
    count: int = 100

    def __post_init__(self) -> None:
        _at_least(1, BLOCK_MS_MAX, block_ms=self.block_ms)
        _at_least(1, READ_COUNT_MAX, count=self.count)


class RetryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pause before a retry: 50 to 100 % of `base_s` doubled with each failure, at most of `cap_s`."""

    base_s: float = 0.25
    cap_s: float = 60.0

    def __post_init__(self) -> None:
        _at_least(0, SECONDS_MAX, base_s=self.base_s, cap_s=self.cap_s)


class ClaimConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How events of dead consumers are claimed.

    Attributes:
        min_idle_s: the idle time after which another consumer claims an event.
        delivery_limit: an event delivered more often than this without an outcome is dead-lettered. Events that
            were read ahead and not started count as one delivery, however often their consumer was killed.
    """

    min_idle_s: float = 60.0
    delivery_limit: int = 10

    def __post_init__(self) -> None:
        _above_zero(SECONDS_MAX, min_idle_s=self.min_idle_s)
        _at_least(1, COUNT_MAX, delivery_limit=self.delivery_limit)


class ArchiveConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the events are kept beyond the streams.

    Attributes:
        target: a folder, or `s3://bucket/prefix`; of one server and prefix alone: two would hide each
            other's events there. Each has one archive; a second target is refused. A program without this setting
            knows of none: it may trim a new topic before the first round has met that.
        every_s: how often what is new is written.
        topics: which; empty for every topic on the server.
        max_age_days: segments whose last event is older are removed; None keeps them.
        max_bytes: the oldest segments are removed until all together are no longer than this; None keeps them.
        begins_anew: a target that was this server's and is empty now is used again. Without it that is refused, as
            it may be the place of a disk that is not there.
        options: for S3: `endpoint`, `region`, `access_key_id`, `secret_access_key`; else the usual environment.
    """

    target: str
    every_s: float = 300.0
    topics: tuple[str, ...] = ()
    max_age_days: float | None = None
    max_bytes: int | None = None
    begins_anew: bool = False
    options: dict[str, str] = {}

    def __post_init__(self) -> None:
        _above_zero(SECONDS_MAX, every_s=self.every_s)
        _above_zero(DAYS_MAX, max_age_days=self.max_age_days)
        _at_least(1, WHOLE_MAX, max_bytes=self.max_bytes)
        _named(target=self.target)

    def __repr__(self) -> str:
        """Leave the keys out: a repr ends in logs."""
        return _shown(self, options=dict.fromkeys(self.options, "…"))


class MetricsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where Prometheus finds the metrics: GET /metrics, without a password, for everybody who reaches the port.

    Attributes:
        port: 0 takes any that is free, which `Bus.metrics_port` tells. One that is taken is logged as an error and
            tried again every `every_s`; the bus works without.
        host: the address to listen on; only this machine reaches the default.
        every_s: how often the server is asked for lag, pending and dead letters.
    """

    port: int = 9464
    host: str = "127.0.0.1"
    every_s: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= PORT_MAX:
            raise ConfigValueError(
                "port", f"has to be 0 to {PORT_MAX}, 0 for any that is free, not {self.port}"
            )
        _named(host=self.host)
        _above_zero(SECONDS_MAX, every_s=self.every_s)


class BusConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of it.

    Attributes:
        url: `redis://`, `rediss://` or `unix:///path`, with user and password where there are any;
            `redis+sentinel://` and `redis+cluster://` for those (`server`).
        prefix: stands before every key of this bus, `shop:`. Buses with different ones share a server and see
            nothing of each other; each needs an archive of its own.
        source: who publishes, `desktop_app@v0.9.1`; goes into `meta.source`.
        consumer: this program's name within its groups. It has to be the same after a restart; of two that live at
            once the second is refused. Default: the source without its version, the host, and a number where
            several processes live at once (`consumer.identity`).
        streams: topics with limits of their own.
        rate_limit: events a second that all consumers of this bus together handle at most; None for no limit.
        priority_weights: within a batch the heaviest comes first; between batches each priority gets its share.
        read: how consumers read.
        retry: how long a failed event waits.
        claim: what becomes of unfinished events.
        archive: where events are kept; None keeps them in the streams alone.
        metrics: where Prometheus finds them; None opens no port.
        replicas: a publish succeeds when so many replicas have it too (WAIT); 0 does not ask them.
        patience_s: for so long a publish waits for a server that does not answer.
        drain_s: for so long closing waits for handlers that are running.
    """

    url: str
    source: str = "titan_bus"
    consumer: str = ""
    prefix: str = ""
    streams: tuple[StreamConfig, ...] = ()
    rate_limit: float | None = None
    priority_weights: dict[Priority, int] = msgspec.field(
        default_factory=lambda: {Priority.HIGH: 3, Priority.MEDIUM: 2, Priority.LOW: 1}
    )
    read: ReadConfig = ReadConfig()
    retry: RetryConfig = RetryConfig()
    claim: ClaimConfig = ClaimConfig()
    archive: ArchiveConfig | None = None
    metrics: MetricsConfig | None = None
    replicas: int = 0
    patience_s: float = 5.0
    drain_s: float = 5.0

    def __post_init__(self) -> None:
        _named(source=self.source)
        if _NO_PREFIX.search(self.prefix):
            raise ConfigValueError("prefix", "has to be without spaces, and without any of {}*?[]^\\()")
        _above_zero(WHOLE_MAX, rate_limit=self.rate_limit)
        _at_least(0, COUNT_MAX, replicas=self.replicas)
        _at_least(0, SECONDS_MAX, patience_s=self.patience_s, drain_s=self.drain_s)
        for priority in Priority:
            if not (weight := self.priority_weights.get(priority)):
                raise ConfigValueError("priority_weights", f"{priority} has to be there, and more than 0")
            _at_least(1, COUNT_MAX, priority_weights=weight)
        names: set[str] = set()
        for at, stream in enumerate(self.streams):
            if stream.name in names:
                raise ConfigValueError(
                    f"streams[{at}]", f"{stream.name} is there already: one entry has its limits"
                )
            names.add(stream.name)
        if "://" not in self.url:
            raise ConfigValueError("url", "has to begin with redis://, rediss://, unix:// or the like")

    def __repr__(self) -> str:
        """Leave user and password out: a repr ends in logs."""
        scheme, mark, rest = self.url.partition("://")
        return _shown(self, url=f"{scheme}{mark}{rest.rpartition('@')[2]}")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "BusConfig":
        """Read a configuration file (`config.file`). It blocks: call it at a program's start.

        Raises:
            ConfigError: it cannot be used; with file and line.
        """
        from titan_bus.config import file

        return file.load(path, cls)

    def stream(self, topic: str) -> StreamConfig:
        """Return a topic's limits, or the defaults."""
        return next((stream for stream in self.streams if stream.name == topic), StreamConfig(name=topic))

    def consumer_name(self) -> str:
        """Return this program's consumer name within its groups, without the number of a second process."""
        return self.consumer or f"{self.source.partition('@')[0]}@{socket.gethostname()}"
