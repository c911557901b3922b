"""The embedded PostgreSQL: a private cluster, reached by a unix socket, or by loopback TCP with a password.

A unix socket in a private folder needs no password. Where sockets are not supported (Windows), the server listens
on 127.0.0.1 and requires a random password from a file of mode 0600.
"""

import contextlib
import dataclasses
import locale
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from titan_desktop.contracts.problem import Code
from titan_desktop.provision import account, binaries
from titan_desktop.provision.postgres_access import Access, Listen
from titan_desktop.provision.postgres_upgrade import (
    OlderCluster,
    Receipt,
    Upgrade,
    older_cluster,
    version_of,
)
from titan_desktop.provision.server import Runner, end
from titan_desktop.system import private_files

UNIX_PORT, UPGRADE_UNIX_PORT = 5432, 5433
"""Part of a unix socket's name. During an upgrade a different one keeps other clients out."""
FAST_STOP_PATIENCE_S = 8.0
IMMEDIATE_STOP_PATIENCE_S = 2.0

_SETTINGS = {
    "max_connections": "40",
    "max_wal_size": "256MB",
    "wal_recycle": "off",  # a segment that is used again keeps what was erased
    "logging_collector": "off",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
}
STATUS_LINE = 7
"""Of postmaster.pid, counted from 0 (LOCK_FILE_LINE_PM_STATUS in PostgreSQL's pidfile.h)."""
_CTYPES = ("C.UTF-8", "en_US.UTF-8", "C.utf8", "")


class Postgres:
    """Implements `server.Server`.

    Args:
        data: the parent of the cluster's folder.
        log: its log.
        sockets: the parent of its socket's folder.
        listen: `unix` or `tcp`.
        note: takes lines for the core's log.
    """

    store = "postgres"
    # A fast shutdown; SIGKILL would leave the next start a recovery (PostgreSQL manual, 18.5).
    death_signal = signal.SIGINT

    def __init__(self, data: Path, log: Path, sockets: Path, listen: Listen) -> None:
        self.folder = data / f"postgres-{binaries.POSTGRES_MAJOR}"
        self.log = log
        self.failed = Code.POSTGRES_FAILED
        self.account: account.Account | None = None
        self._access = Access(
            listen=listen,
            sockets=sockets / "pg",
            port=_free_port() if listen == "tcp" else UNIX_PORT,
            password_file=data / "postgres.password",
        )
        self._programs = Path()
        self._receipt = Receipt(self.folder)
        self._has_just_upgraded = False

    @property
    def url(self) -> str:
        """The DSN of the superuser's own database."""
        return self._access.url

    def prepare(self, runner: Runner) -> list[str]:
        """Create the cluster if there is none, remove stale lock files, and return the command line."""
        self._programs = binaries.postgres_programs()
        private_files.make_folder(self.folder.parent)
        if self._access.listen == "unix":
            self._make_socket_folder()
        self.account = account.service_account()
        self._admit(runner, self._programs, self.folder, self._access.sockets)
        if version_of(self.folder) != binaries.POSTGRES_MAJOR:
            self._make_cluster(runner, older_cluster(self.folder))
        self._clear_stale_locks(runner, self.folder, self._access)
        self._access.write_rules(self.folder)
        if self._access.listen == "tcp" and not self._access.password_file.exists():
            private_files.replace(self._access.password_file, secrets.token_urlsafe(24))
            self._set_password(runner, self.folder)
        return self._command(self._programs, self.folder, self._access)

    def is_ready(self, pid: int) -> bool:
        """Whether connections are accepted."""
        return _is_ready(self.folder, pid)

    def serves(self, runner: Runner) -> None:
        """Remove an older cluster that an earlier start has upgraded; never in the start of the upgrade."""
        if not self._has_just_upgraded:
            self._receipt.settle(runner)

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Fast shutdown, then immediate, then SIGKILL."""
        self._stop(process, self.folder)

    def abandon(self, process: "subprocess.Popen[bytes]") -> None:
        """Immediate shutdown, which gives its shared memory back, but also removes a socket of its name."""
        if sys.platform == "win32" or self._access.sockets.exists():
            end(process, [])
        else:
            end(process, [(signal.SIGQUIT, IMMEDIATE_STOP_PATIENCE_S)])

    def _stop(self, process: "subprocess.Popen[bytes]", cluster: Path) -> None:
        if sys.platform == "win32":
            # Windows has no signals that the server could catch; pg_ctl uses a named pipe.
            subprocess.run(
                [self._programs / "pg_ctl", "stop", "-m", "fast", "-t", "8", "-D", cluster],
                check=False,
                capture_output=True,
            )
            end(process, [])
        else:
            end(
                process,
                [
                    (signal.SIGINT, FAST_STOP_PATIENCE_S),
                    (signal.SIGQUIT, IMMEDIATE_STOP_PATIENCE_S),
                ],
            )

    def _command(self, programs: Path, cluster: Path, access: Access) -> list[str]:
        settings = _SETTINGS | access.settings()
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(programs / "postgres"), "-D", str(cluster), *options]

    def _make_socket_folder(self) -> None:
        sockets = self._access.sockets
        private_files.own_folder(sockets.parent)
        sockets.mkdir(exist_ok=True, mode=0o700)
        if (service_account := account.service_account()) is not None:
            account.give(service_account, sockets)

    def _admit(self, runner: Runner, *folders: Path) -> None:
        """Give the account access to folders."""
        if self.account is None:
            return
        for folder in folders:
            for parent in account.open_path(self.account, folder):
                runner.note(
                    f"set the search bit of {parent} so that the user {account.NAME} reaches {folder}"
                )

    def _make_cluster(self, runner: Runner, older: OlderCluster | None) -> None:
        """Create the cluster under a temporary name and rename it, so that a kill leaves no half cluster."""
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.account is not None:
            account.give(self.account, unfinished)
        runner.note("making a new PostgreSQL cluster")
        runner.run(
            [
                str(self._programs / "initdb"),
                *("--pgdata", str(unfinished), "--username", "postgres", "--auth", "trust"),
                # The same collation everywhere, whatever the person's locale. The C character type calls «, » and
                # — letters, and full text search finds no word beside them: its parser asks the C library.
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *("--lc-collate", "C", "--lc-ctype", _utf8_ctype(), "--lc-messages", "C"),
                *("--lc-monetary", "C", "--lc-numeric", "C", "--lc-time", "C"),
            ]
        )
        if older is not None:
            self._take_over(runner, older, unfinished)
        unfinished.rename(self.folder)

    def _take_over(self, runner: Runner, older: OlderCluster, unfinished: Path) -> None:
        access = dataclasses.replace(
            self._access, port=_free_port() if self._access.listen == "tcp" else UPGRADE_UNIX_PORT
        )
        if access.listen == "tcp":
            self._set_password(runner, unfinished)

        def serve(programs: Path, cluster: Path, access: Access) -> contextlib.AbstractContextManager[None]:
            self._admit(runner, programs, cluster)
            self._clear_stale_locks(runner, cluster, access)
            return runner.serving(
                self._command(programs, cluster, access),
                is_ready=lambda pid: _is_ready(cluster, pid),
                stop=lambda process: self._stop(process, cluster),
            )

        Upgrade(older, self.account, access, serve).fill(unfinished, self._programs, runner)
        self._receipt.write(older)
        self._has_just_upgraded = True

    def _clear_stale_locks(self, runner: Runner, cluster: Path, access: Access) -> None:
        """Remove lock files whose postmaster is gone.

        PostgreSQL does so by itself unless another process of the same user has their process id, as happens after
        a reboot and in containers. The server host holds `stores.lock` and has ended the servers of its
        predecessor, so a process with that id is no postmaster of this folder.
        """
        for lock in (cluster / "postmaster.pid", access.sockets / f".s.PGSQL.{access.port}.lock"):
            with contextlib.suppress(FileNotFoundError):
                lock.unlink()
                runner.note(f"removed {lock.name}, left by a server that was killed")

    def _set_password(self, runner: Runner, cluster: Path) -> None:
        """Set the password from our file in single-user mode, where nobody can connect meanwhile."""
        runner.run(
            [str(self._programs / "postgres"), "--single", "-D", str(cluster), "postgres"],
            stdin=f"ALTER ROLE postgres PASSWORD '{self._access.password}'\n".encode(),
        )


def _is_ready(cluster: Path, pid: int) -> bool:
    """Read the eighth line of postmaster.pid, as pg_ctl does: `ready` when connections are accepted."""
    # The file is written line by line, so it may be short.
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = (cluster / "postmaster.pid").read_text("utf-8").splitlines()
        return int(lines[0]) == pid and lines[STATUS_LINE].strip() == "ready"
    return False


def _utf8_ctype() -> str:
    """Return a UTF-8 character type of the local C library; the empty name is the environment's."""
    for name in _CTYPES:
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        return name or "C"
    return "C"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
