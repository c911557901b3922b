"""What a bus is told: its server, its streams, its limits. Frozen structs; reading them from YAML comes on top."""

import msgspec


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic's limits.

    Attributes:
        name: the topic, `chat.v1`.
        maxlen: about how many events the stream keeps.
        retry_limit: how often a failed event is tried again before it goes to the dead letters.
    """

    name: str
    maxlen: int = 100_000
    retry_limit: int = 5


class BusConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of it.

    Attributes:
        url: `redis://`, `rediss://` or `unix:///path`.
        source: who publishes, `desktop_app@v0.9.1`; goes into `meta.source`.
    """

    url: str
    source: str = "titan_bus"
    streams: tuple[StreamConfig, ...] = ()
