"""Security: how the processes that read foreign files are confined, and by which mechanism of the system.

Topic: `topics.INDEXING_REQUESTS`, because the index owns those processes.
"""

from enum import StrEnum
from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import R, Request


class Mechanism(msgspec.Struct, frozen=True, kw_only=True):
    """A means of the system to confine a process.

    Attributes:
        name: as the system calls it: "landlock", "seccomp", "no_new_privs", "sandbox_init", "job_object" …
        in_force: whether the process is under it.
        detail: its version, or why it is not in force, as the system says it; for experts, never translated.
    """

    name: str
    in_force: bool
    detail: str = ""


class Act(StrEnum):
    """What a compromised parser would try."""

    READ_FILES = "read_files"
    WRITE_FILES = "write_files"
    USE_NETWORK = "use_network"
    START_PROGRAMS = "start_programs"
    REACH_PROCESSES = "reach_processes"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """An act that a reading process has really tried, and whether the system refused it."""

    act: Act
    refused: bool


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetSecurity: the means that are in force in a reading process, and what it could not do."""

    mechanisms: tuple[Mechanism, ...]
    attempts: tuple[Attempt, ...]


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.INDEXING_REQUESTS


class GetSecurity(_Request[Security], frozen=True, kw_only=True, tag="security"):
    """Ask a reading process how it is confined; one is started if none runs."""
