"""The record of the running core in `paths.core_file`: the core writes it, every client reads it.

Readable by the owner only, because the bus URL may contain a password. The file alone proves nothing: the core
runs while it holds `paths.core_lock`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from titan_desktop.contracts.topics import EDITION
from titan_desktop.settings import VARIABLES
from titan_desktop.system import private_files


@dataclass(frozen=True, slots=True)
class CoreRecord:
    """One core: its process id, its version, its bus URL, and hashes of the settings in its environment.

    Attributes:
        edition: of the contracts that it uses; see `topics.EDITION`.
    """

    pid: int
    version: str
    bus_url: str = field(repr=False)
    environment: dict[str, str] = field(default_factory=dict)
    edition: int = EDITION


def marks(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a hash of each setting in the environment: equal for equal values, and not reversible."""
    return {
        name: hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        for name in VARIABLES
        if (value := environment.get(name, ""))
    }


def unheard(record: CoreRecord, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the settings in this environment that a running core was not started with."""
    return tuple(name for name, mark in marks(environment).items() if record.environment.get(name) != mark)


def write(path: Path, record: CoreRecord) -> None:
    """Replace the file atomically. Raises OSError."""
    private_files.replace(path, json.dumps(asdict(record)))


def remove(path: Path, record: CoreRecord) -> None:
    """Remove the file, unless it is another core's by now. Raises OSError."""
    if read(path) == record:
        path.unlink(missing_ok=True)


def read(path: Path) -> CoreRecord | None:
    """Return the record, or None when it is missing or invalid."""
    try:
        found = json.loads(path.read_text("utf-8"))
        environment = {str(name): str(mark) for name, mark in found.get("environment", {}).items()}
        edition = int(found.get("edition", 1))  # the first edition did not name itself
        return CoreRecord(
            int(found["pid"]), str(found["version"]), str(found["bus_url"]), environment, edition
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
