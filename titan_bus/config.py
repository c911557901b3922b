"""What a bus is told: its server, its streams, its limits. Frozen structs; reading them from YAML comes on top."""

import socket

import msgspec

from titan_bus.event import Priority


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic's limits.

    Attributes:
        name: the topic, `chat.v1`.
        maxlen: about how many events the stream keeps. What a group has not acknowledged stays beyond it.
        retry_limit: how often a failed event is tried again before it goes to the dead letters.
    """

    name: str
    maxlen: int = 100_000
    retry_limit: int = 5


class ReadConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a consumer reads: it waits `block_ms` (more than 0) at most for up to `count` events of each stream."""

    block_ms: int = 2_000
    count: int = 100


class RetryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a failed event waits: `base_s` doubled with each failure, at most `cap_s`, of which 50 to 100 %."""

    base_s: float = 0.2
    cap_s: float = 60.0


class ClaimConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of events that a consumer took and never finished.

    Attributes:
        min_idle_s: after this time without a sign of life another consumer takes them over.
        delivery_limit: delivered more often than this without a verdict, an event becomes a dead letter.
    """

    min_idle_s: float = 60.0
    delivery_limit: int = 10


class BusConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of it.

    Attributes:
        url: `redis://`, `rediss://` or `unix:///path`, with user and password where there are any.
        source: who publishes, `desktop_app@v0.9.1`; goes into `meta.source`.
        consumer: this program's name within its groups. It must be the same after a restart, and no two
            programs that live at once may share it. Default: the source without its version, and the host.
        priority_weights: the order within a batch, the heaviest first.
        patience_s: for so long a publish waits for a server that does not answer.
        drain_s: for so long closing waits for handlers that are running.
    """

    url: str
    source: str = "titan_bus"
    consumer: str = ""
    streams: tuple[StreamConfig, ...] = ()
    priority_weights: dict[Priority, int] = msgspec.field(
        default_factory=lambda: {Priority.HIGH: 3, Priority.MEDIUM: 2, Priority.LOW: 1}
    )
    read: ReadConfig = ReadConfig()
    retry: RetryConfig = RetryConfig()
    claim: ClaimConfig = ClaimConfig()
    patience_s: float = 5.0
    drain_s: float = 5.0

    def stream(self, topic: str) -> StreamConfig:
        """Return a topic's limits, the defaults for one that is not listed."""
        return next((stream for stream in self.streams if stream.name == topic), StreamConfig(name=topic))

    def consumer_name(self) -> str:
        """Return the name that this program has in its groups."""
        return self.consumer or f"{self.source.partition('@')[0]}@{socket.gethostname()}"
