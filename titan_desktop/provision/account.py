"""Whom PostgreSQL runs as. It refuses to run as root, so root lends it to a system user without rights.

Everybody else runs it as themselves, and nothing here is asked for. POSIX only; on Windows there is no root.
"""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "pgserver"


@dataclass(frozen=True, slots=True)
class Account:
    """A system user."""

    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the user that PostgreSQL runs as when we are root, made if it is missing; None for everybody else.

    Raises:
        OSError: the user does not exist and cannot be made.
    """
    if sys.platform == "win32":
        return None
    else:  # noqa: RET505 - mypy reads each system's branch, and would call what follows unreachable
        return _account_for_root() if os.geteuid() == 0 else None


if sys.platform != "win32":
    import pwd

    def _account_for_root() -> Account:
        with contextlib.suppress(KeyError):
            return _account()
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", NAME], capture_output=True, text=True, check=False
        )
        try:
            return _account()
        except KeyError:
            raise OSError(f"useradd could not make the user {NAME}: {made.stderr.strip()}") from None

    def _account() -> Account:
        found = pwd.getpwnam(NAME)
        return Account(found.pw_uid, found.pw_gid)


def give(account: Account, folder: Path) -> None:
    """Make `folder` the account's, readable by it and by root alone."""
    shutil.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def open_path(account: Account, folder: Path) -> Iterator[Path]:
    """Let the account reach `folder`: each parent without the search bit for others gets it, and is yielded.

    The search bit alone lets nobody list or read a folder; it lets those through who know the names beneath.
    """
    for parent in folder.absolute().parents:
        mode = parent.stat()
        if mode.st_uid == account.uid or mode.st_mode & stat.S_IXOTH:
            continue
        parent.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)
        yield parent
