"""Where Titan keeps its state, and which folders of the person it may read.

No other module spells a path. `TITAN_HOME` moves all state beneath one folder;
without it the platform's own places are used. The allowed roots are the person's Desktop and Downloads folders,
as the platform names them, and nothing beyond them.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from titan_desktop.system import private_files, socket_folder

SOCKET_PATH_LIMIT = 100
"""Bytes that a unix socket's path may have: sun_path holds 104 on macOS and 108 on Linux (unix(7))."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one Titan installation of one user."""

    config: Path
    data: Path
    logs: Path
    run: Path

    @classmethod
    def from_environment(cls) -> "Paths":
        """Read `TITAN_HOME`, or else the platform's folders. Creates nothing."""
        home = os.environ.get("TITAN_HOME")
        if home:
            root = Path(home).expanduser().absolute()
            return cls(config=root, data=root / "data", logs=root / "logs", run=root / "run")
        return cls(
            config=platformdirs.user_config_path("titan", appauthor=False),
            data=platformdirs.user_data_path("titan", appauthor=False),
            logs=platformdirs.user_log_path("titan", appauthor=False),
            run=platformdirs.user_data_path("titan", appauthor=False) / "run",
        )

    def create(self) -> None:
        """Create the folders, readable by their owner only.

        Raises:
            OSError: the disk is full or read-only, or a folder belongs to somebody else.
        """
        for folder in (self.config, self.data, self.logs, self.run):
            private_files.make_folder(folder)

    @property
    def settings_file(self) -> Path:
        """The settings file, which a person may also edit."""
        return self.config / "settings.toml"

    @property
    def archive(self) -> Path:
        """The event archive, with what is older than the transport's streams."""
        return self.data / "archive"

    @property
    def key_file(self) -> Path:
        """The keys of model servers under a password, where the system has no keyring."""
        return self.data / "keys.json"

    @property
    def contents(self) -> Path:
        """Files as they were before Titan changed them, by their hash."""
        return self.data / "contents"

    @property
    def handed(self) -> Path:
        """Contents that clients hand over to the core."""
        return self.data / "handed"

    @property
    def core_lock(self) -> Path:
        """Held by the one core of this user and `TITAN_HOME` while it runs."""
        return self.run / "core.lock"

    @property
    def core_file(self) -> Path:
        """The record of the running core: pid, version, bus URL (owner only: it may contain a password)."""
        return self.run / "core.json"

    @property
    def identity(self) -> str:
        """Eight hexadecimal digits that identify this installation among those of the same user."""
        return hashlib.sha256(str(self.run).encode()).hexdigest()[:8]

    def sockets(self) -> Path:
        """Return a folder for unix sockets; `run` if possible. Not created, or see `socket_folder`.

        Its path must be short and without a comma, which PostgreSQL's clients read as the start of another host.
        """
        longest = self.run / ".s.PGSQL.5432.lock"
        if len(os.fsencode(longest)) <= SOCKET_PATH_LIMIT and "," not in str(longest):
            return self.run
        owner = os.getuid() if hasattr(os, "getuid") else 0
        return socket_folder.in_temporary_folder(f"titan-{owner}-{self.identity}", self.run / "sockets.path")


def allowed_roots() -> tuple[Path, ...]:
    """Return the person's Desktop and Downloads folders, whether they exist or not, without duplicates.

    The environment's TITAN_ROOTS, a list of folders like PATH, stands in their place.

    On Linux `user-dirs.dirs` (freedesktop's xdg-user-dirs) names them, in whatever language. Where a person has
    deleted such a folder, it names the whole home in its place: that was never meant, and is not taken.
    """
    if chosen := os.environ.get("TITAN_ROOTS"):
        roots = (Path(root).expanduser().absolute() for root in chosen.split(os.pathsep) if root)
        return tuple(dict.fromkeys(roots))
    home = Path.home().absolute()
    found = {"Desktop": platformdirs.user_desktop_path(), "Downloads": platformdirs.user_downloads_path()}
    named = (
        home / name if home.is_relative_to(path.absolute()) else path.absolute()
        for name, path in found.items()
    )
    return tuple(dict.fromkeys(named))


def bundled(kind: str) -> Path:
    """Return the folder of shipped files: `resources`, `i18n` or `compose`, installed or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_data" / kind
    return installed if installed.is_dir() else package.parent / kind
