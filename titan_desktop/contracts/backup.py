"""Backup: everything that Titan keeps, in one file.

Topics: `topics.SYSTEM_COMMANDS` has the command, `topics.SYSTEM` what comes of it.

Restoring is no message: while it runs, nobody else may work (`titan restore`).
"""

from typing import ClassVar

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage
from titan_desktop.contracts.numbers import Count
from titan_desktop.contracts.problem import Problem


class MakeBackup(BusMessage, frozen=True, kw_only=True):
    """Write everything into a new file at `path`.

    Attributes:
        job_id: a ULID of the caller, which the events name.
        path: absolute; nothing may be there.
        recipient: the public key for which the content is encrypted; "" leaves it readable.
        sealed_key: the private key to it, encrypted under the person's password, which itself never travels; see
            `client.backup_key`.
    """

    topic: ClassVar[str] = topics.SYSTEM_COMMANDS

    job_id: str
    path: str
    recipient: str = ""
    sealed_key: str = ""


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.SYSTEM

    job_id: str


class BackupGrew(_Event, frozen=True, kw_only=True):
    """It goes on: so many bytes were read so far."""

    read_bytes: Count


class BackupMade(_Event, frozen=True, kw_only=True):
    """The file is whole. `size` in bytes; the others count what is in it."""

    path: str
    size: Count
    conversations: Count
    messages: Count
    files: Count


class BackupFailed(_Event, frozen=True, kw_only=True):
    """There is no file; `problem` says why."""

    problem: Problem
