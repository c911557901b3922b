"""What is wrong with a part of Titan and can be mended: a code, and what fills the blanks of its sentence.

The bus carries problems; `client.problems` puts them into sentences. The process that hosts the embedded servers
uses this, too, so it imports the standard library alone.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    """Which problem; `client.problems` has a sentence for each, and says which blanks it has."""

    # A server of ours
    STARTING = "starting"
    RESTARTING = "restarting"
    STILL_STOPPING = "still_stopping"
    CANNOT_BE_KEPT = "cannot_be_kept"
    DISK_FULL = "disk_full"
    NOT_WRITABLE = "not_writable"
    SYSTEM_ERROR = "system_error"
    REDIS_FAILED = "redis_failed"
    POSTGRES_FAILED = "postgres_failed"
    NOT_INSTALLED = "not_installed"
    PROGRAM_MISSING = "program_missing"
    # Conversations of another PostgreSQL
    CLUSTER_IS_NEWER = "cluster_is_newer"
    CLUSTER_IS_TOO_OLD = "cluster_is_too_old"
    CLUSTER_IS_THERE_TWICE = "cluster_is_there_twice"
    UPGRADING = "upgrading"
    NO_ROOM_TO_UPGRADE = "no_room_to_upgrade"
    # Docker's and somebody else's servers
    DOCKER_MISSING = "docker_missing"
    DOCKER_SILENT = "docker_silent"
    COMPOSE_MISSING = "compose_missing"
    COMPOSE_FAILED = "compose_failed"
    VARIABLE_MISSING = "variable_missing"
    VARIABLE_OF_OTHER_KIND = "variable_of_other_kind"
    VARIABLE_UNREADABLE = "variable_unreadable"
    # Any server
    SILENT = "silent"
    TRANSPORT_SILENT = "transport_silent"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    # The graph
    GRAPH_NOT_OPEN = "graph_not_open"
    GRAPH_IN_USE = "graph_in_use"
    GRAPH_DAMAGED = "graph_damaged"
    GRAPH_REMADE = "graph_remade"
    GRAPH_ADDRESS = "graph_address"
    GRAPH_PASSWORD = "graph_password"  # noqa: S105  # a code, no password
    GRAPH_BLOCKED = "graph_blocked"
    GRAPH_DATABASE = "graph_database"
    GRAPH_EXPIRED = "graph_expired"
    GRAPH_RIGHTS = "graph_rights"
    GRAPH_BUSY = "graph_busy"
    GRAPH_UNREACHABLE = "graph_unreachable"
    # The archive
    ARCHIVE_FAILED = "archive_failed"
    ARCHIVE_ELSEWHERE = "archive_elsewhere"
    # A backup
    BACKUP_EXISTS = "backup_exists"
    BACKUP_NOT_WRITTEN = "backup_not_written"
    BACKUP_STORE_AWAY = "backup_store_away"
    BACKUP_DISK_FULL = "backup_disk_full"
    # The folders that are read
    FOLDER_HOLDS_HOME = "folder_holds_home"
    FOLDER_HIDDEN = "folder_hidden"
    FOLDER_OF_SYSTEM = "folder_of_system"
    FOLDER_IS_LINK = "folder_is_link"
    IGNORE_PATTERN = "ignore_pattern"
    # Settings
    SETTINGS_UNREADABLE = "settings_unreadable"
    KEYRING_UNUSABLE = "keyring_unusable"
    MODEL_ADDRESS = "model_address"
    KEYS_LOCKED = "keys_locked"
    KEYS_DAMAGED = "keys_damaged"


REFUSED_FOLDERS = frozenset(
    {Code.FOLDER_HOLDS_HOME, Code.FOLDER_HIDDEN, Code.FOLDER_OF_SYSTEM, Code.FOLDER_IS_LINK}
)
"""A folder at `path`, which leads to `real`, is not read unless `settings` allows exactly that: a file's path."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem.

    Attributes:
        code: which; a `Code`, or one of a newer core.
        fields: paths, addresses, names and numbers for the sentence; never a password.
        detail: what a driver or a log says, word for word, in whatever language; "" for nothing.
    """

    code: str
    fields: dict[str, str] = field(default_factory=dict)
    detail: str = ""

    def __str__(self) -> str:
        """Return it for a log."""
        words = [f"{name}={value}" for name, value in self.fields.items()]
        return " ".join(filter(None, (self.code, *words, self.detail)))
