"""What the running core says of itself in `paths.core_file`: the core writes it, every client reads it.

Owner-only, because the bus URL may hold a password. A file alone proves nothing: the core lives while it holds
`paths.core_lock`.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CoreRecord:
    """One core: its process id, its version, and where its bus is."""

    pid: int
    version: str
    bus_url: str = field(repr=False)


def write(path: Path, record: CoreRecord) -> None:
    """Replace the file in one step. Raises OSError."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
    fresh.replace(path)


def read(path: Path) -> CoreRecord | None:
    """Return the record, or None where there is none that makes sense."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return CoreRecord(int(found["pid"]), str(found["version"]), str(found["bus_url"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
