"""The account that PostgreSQL runs as: it refuses root, so root runs it as a system user without rights.

Other users run it as themselves, and this module is not used. POSIX only; on Windows there is no root.
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
    """Return the user that PostgreSQL runs as when Titan runs as root, created if missing; None otherwise.

    Raises:
        OSError: the user does not exist and cannot be created.
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
    """Give `folder` to the account, readable by it and by root only."""
    shutil.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def open_path(account: Account, folder: Path) -> Iterator[Path]:
    """Give the account access to `folder`: each parent without the search bit for others gets it, and is yielded.

    The search bit alone allows nobody to list or read a folder, only to pass through to a known name.
    """
    for parent in folder.absolute().parents:
        mode = parent.stat()
        if mode.st_uid == account.uid or mode.st_mode & stat.S_IXOTH:
            continue
        parent.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)
        yield parent
