"""The embedded PostgreSQL: a cluster of our own, reached by a unix socket, or by loopback TCP with a password.

A unix socket in a folder of its owner alone needs no password. Where sockets do not serve (Windows), the server
listens on 127.0.0.1 and asks for a random password that stands in a file of mode 0600.
"""

import contextlib
import locale
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from titan_desktop.provision import account, binaries
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.server import Note, Runner, end, turn_over
from titan_desktop.system import private_files

Listen = Literal["unix", "tcp"]

MAJOR_VERSION = binaries.POSTGRES_INSTALLATION.removeprefix("pginstall")

FAST_STOP_PATIENCE_S = 8.0
IMMEDIATE_STOP_PATIENCE_S = 2.0

_SETTINGS = {
    "max_connections": "40",
    "max_wal_size": "256MB",
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
        self.folder = data / f"postgres-{MAJOR_VERSION}"
        self.log = log
        self.cure = (
            f"If it speaks of damaged data, move {self.folder} to a safe place: Titan makes a new one and reads "
            "the files again, but conversations are in the old one."
        )
        self.account: account.Account | None = None
        self._listen = listen
        self._sockets = sockets / "pg"
        self._password_file = data / "postgres.password"
        self._port = _free_port() if listen == "tcp" else 5432
        self._programs = Path()

    @property
    def url(self) -> str:
        """The DSN of the superuser's own database."""
        if self._listen == "unix":
            return f"postgresql://postgres@/postgres?host={quote(str(self._sockets))}"
        password = self._password_file.read_text("ascii")
        return f"postgresql://postgres:{password}@127.0.0.1:{self._port}/postgres"

    def prepare(self, run: Runner, note: Note) -> list[str]:
        """Make the cluster if there is none, clear stale lock files, and return the command line."""
        self._programs = binaries.postgres_programs()
        turn_over(self.log)
        private_files.make_folder(self.folder.parent)
        if self._listen == "unix":
            self._make_socket_folder()
        self.account = account.lent_account()
        if self.account is not None:
            self._admit(self.account, note)
        if not (self.folder / "PG_VERSION").exists():
            self._make_cluster(run, note)
        self._check_version()
        self._clear_stale_locks(note)
        self._write_access_rules()
        if self._listen == "tcp" and not self._password_file.exists():
            self._set_password(run)
        return self._command()

    def is_ready(self, pid: int) -> bool:
        """Read the eighth line of postmaster.pid, as pg_ctl does: `ready` when connections are accepted."""
        # The file is written line by line, so it may be short.
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = (self.folder / "postmaster.pid").read_text("utf-8").splitlines()
            return int(lines[0]) == pid and lines[STATUS_LINE].strip() == "ready"
        return False

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Fast shutdown, then immediate, then SIGKILL."""
        if sys.platform == "win32":
            # There are no signals to catch there; pg_ctl speaks to the server by a named pipe.
            subprocess.run(
                [self._programs / "pg_ctl", "stop", "-m", "fast", "-t", "8", "-D", self.folder],
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

    def _command(self) -> list[str]:
        settings = dict(_SETTINGS)
        if self._listen == "unix":
            settings |= {
                "listen_addresses": "",
                # A list: quoted, so that a comma in the path does not cut it in two.
                "unix_socket_directories": '"{}"'.format(str(self._sockets).replace('"', '""')),
                "unix_socket_permissions": "0700",
            }
        else:
            settings |= {
                "listen_addresses": "127.0.0.1",
                "port": str(self._port),
                "unix_socket_directories": "",
            }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.folder), *options]

    def _make_socket_folder(self) -> None:
        private_files.own_folder(self._sockets.parent)
        self._sockets.mkdir(exist_ok=True, mode=0o700)

    def _admit(self, lent: account.Account, note: Note) -> None:
        reached = [self._programs, self.folder]
        if self._listen == "unix":
            account.give(lent, self._sockets)
            reached.append(self._sockets)
        for folder in reached:
            for parent in account.open_path(lent, folder):
                note(f"set the search bit of {parent} so that the user {account.NAME} reaches {folder}")

    def _make_cluster(self, run: Runner, note: Note) -> None:
        """Run initdb beside the final place and rename at the end: killed in between, no half cluster is left."""
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.account is not None:
            account.give(self.account, unfinished)
        note("making a new PostgreSQL cluster")
        run(
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
        unfinished.rename(self.folder)

    def _check_version(self) -> None:
        """A cluster belongs to one major version: a folder of another, copied here, is not touched."""
        version = (self.folder / "PG_VERSION").read_text("ascii", "replace").strip()
        if version != MAJOR_VERSION:
            raise StoreUnavailableError(
                self.store,
                f"{self.folder} was made by PostgreSQL {version}, and Titan brings {MAJOR_VERSION}. Move that "
                "folder away, and Titan makes a new one; or serve it with its own version and set "
                "TITAN_POSTGRES_URL.",
            )

    def _clear_stale_locks(self, note: Note) -> None:
        """Remove lock files whose postmaster is gone.

        PostgreSQL does so by itself unless their process id has been taken by another process of the same user, as
        happens after a reboot and in containers. The server host holds `stores.lock` and has ended what its
        predecessor left, so whoever has that id now is no postmaster of this folder.
        """
        for lock in (self.folder / "postmaster.pid", self._sockets / f".s.PGSQL.{self._port}.lock"):
            with contextlib.suppress(FileNotFoundError):
                lock.unlink()
                note(f"removed {lock.name}, left by a server that was killed")

    def _write_access_rules(self) -> None:
        rule = (
            "local all all trust\n" if self._listen == "unix" else "host all all 127.0.0.1/32 scram-sha-256\n"
        )
        rules = self.folder / "pg_hba.conf"
        if rules.read_text("utf-8") != rule:
            rules.write_text(rule, "utf-8")

    def _set_password(self, run: Runner) -> None:
        """Set a new random password in single-user mode, where nobody can connect meanwhile, and keep it."""
        password = secrets.token_urlsafe(24)
        run(
            [str(self._programs / "postgres"), "--single", "-D", str(self.folder), "postgres"],
            stdin=f"ALTER ROLE postgres PASSWORD '{password}'\n".encode(),
        )
        private_files.replace(self._password_file, password)


def _utf8_ctype() -> str:
    """Return a UTF-8 character type that the C library here knows; the empty name is the environment's own."""
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
