"""The system: who is there, how the stores are, what the core runs on.

Topics: events on `topics.SYSTEM`, presence on `topics.PRESENCE` (ephemeral, tailed), requests on
`topics.SYSTEM_REQUESTS`.
"""

from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request
from titan_desktop.contracts.problem import Problem

CLIENT_TTL_S = 12.0
"""A client that has not said `client_present` for this long is gone."""
CLIENT_BEAT_S = 3.0
"""How often a client says it."""


# Presence


class _Presence(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.PRESENCE


class ClientPresent(_Presence, frozen=True, kw_only=True):
    """A window or a command is there and needs the core."""

    client_id: str


class ClientLeft(_Presence, frozen=True, kw_only=True):
    """It has ended; the core need not wait for its time to run out."""

    client_id: str


# Commands


class _Command(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.SYSTEM_COMMANDS


class ReadSettings(_Command, frozen=True, kw_only=True):
    """The settings file or a key in the keyring is new: read them again."""


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.SYSTEM


class SettingsChanged(_Event, frozen=True, kw_only=True):
    """The core has read the settings and the keyring again; its status says what has come of it."""


class CoreReady(_Event, frozen=True, kw_only=True):
    """Stores are open and services serve."""

    pid: int
    version: str


class StoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One store: "redis", "postgres" or "graph".

    `place` is embedded, docker or external; `problem` is set when it is not ok. `opening`: it has neither
    been opened nor failed yet.
    """

    name: str
    place: str
    ok: bool
    product: str = ""
    version: str = ""
    problem: Problem | None = None
    opening: bool = False


class StoreChanged(_Event, frozen=True, kw_only=True):
    """A store has been opened, could not be, has gone or come back; the core serves what it can."""

    store: StoreStatus


# Requests, and what answers them


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.SYSTEM_REQUESTS


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A model as configured, without its key.

    `key` says where that is from: "keyring", "environment", "memory" (given for this run), "file", "none".
    `answers_at` is where it really answers, when that is not the `base_url` that is set; else "". The built-in
    embedder has no `base_url`; on a system that it is not made for, its `name` is not `configured`.
    """

    configured: bool
    name: str = ""
    base_url: str = ""
    key: str = "none"
    answers_at: str = ""


class RootStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An allowed folder. `watched` is False where the system refused to watch it; then it is polled."""

    path: str
    exists: bool
    watched: bool = False


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetStatus. `dead_letters` counts the failed jobs."""

    version: str
    pid: int
    ready: bool
    stores: tuple[StoreStatus, ...]
    model: ModelStatus
    embedder: ModelStatus
    roots: tuple[RootStatus, ...]
    problems: tuple[Problem, ...] = ()
    dead_letters: int = 0


class GetStatus(_Request[Status], frozen=True, kw_only=True, tag="status"):
    """How everything is."""
