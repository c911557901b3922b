"""What the running core says of itself in `paths.core_file`: the core writes it, every client reads it.

Owner-only, because the bus URL may hold a password. A file alone proves nothing: the core lives while it holds
`paths.core_lock`.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from titan_desktop import private


@dataclass(frozen=True, slots=True)
class CoreRecord:
    """One core: its process id, its version, and where its bus is."""

    pid: int
    version: str
    bus_url: str = field(repr=False)


def write(path: Path, record: CoreRecord) -> None:
    """Replace the file in one step. Raises OSError."""
    private.replace(path, json.dumps(asdict(record)))


def read(path: Path) -> CoreRecord | None:
    """Return the record, or None where there is none that makes sense."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return CoreRecord(int(found["pid"]), str(found["version"]), str(found["bus_url"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
