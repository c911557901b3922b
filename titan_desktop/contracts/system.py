"""The system: who is there, how the stores are, what the core runs on.

Topics: events on `topics.SYSTEM`, presence on `topics.PRESENCE` (ephemeral, tailed), requests on
`topics.SYSTEM_REQUESTS`.
"""

import msgspec

CLIENT_TTL_S = 12.0
"""A client that has not said `client_present` for this long is gone."""
CLIENT_BEAT_S = 3.0
"""How often a client says it."""


# On topics.PRESENCE


class ClientPresent(msgspec.Struct, frozen=True, kw_only=True, tag="client_present", tag_field="type"):
    """A window or a command is there and needs the core."""

    client_id: str


class ClientLeft(msgspec.Struct, frozen=True, kw_only=True, tag="client_left", tag_field="type"):
    """It has ended; the core need not wait for its time to run out."""

    client_id: str


# Events on topics.SYSTEM


class SettingsChanged(msgspec.Struct, frozen=True, kw_only=True, tag="settings_changed", tag_field="type"):
    """The settings file or a key in the keyring is new: read them again."""


class CoreReady(msgspec.Struct, frozen=True, kw_only=True, tag="core_ready", tag_field="type"):
    """Stores are open and services serve."""

    pid: int
    version: str


class StoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One store: "redis", "postgres" or "graph".

    `place` is embedded, docker or external; `detail` is the error when it is not ok. `opening`: it has neither
    been opened nor failed yet.
    """

    name: str
    place: str
    ok: bool
    product: str = ""
    version: str = ""
    detail: str = ""
    opening: bool = False


class StoreChanged(msgspec.Struct, frozen=True, kw_only=True, tag="store_changed", tag_field="type"):
    """A store has been opened, could not be, has gone or come back; the core serves what it can."""

    store: StoreStatus


SystemEvent = SettingsChanged | CoreReady | StoreChanged


# Requests on topics.SYSTEM_REQUESTS


class GetStatus(msgspec.Struct, frozen=True, kw_only=True, tag="status", tag_field="type"):
    """How everything is -> Status."""


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A model as configured. `key` says where its key is from: "keyring", "environment", "none". Never the key."""

    configured: bool
    name: str = ""
    base_url: str = ""
    key: str = "none"


class RootStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An allowed folder. `watched` is False where the system refused to watch it; then it is polled."""

    path: str
    exists: bool
    watched: bool = False


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetStatus. `dead_letters` counts the tasks that could not be done."""

    version: str
    pid: int
    ready: bool
    stores: tuple[StoreStatus, ...]
    model: ModelStatus
    embedder: ModelStatus
    roots: tuple[RootStatus, ...]
    problems: tuple[str, ...] = ()
    dead_letters: int = 0
