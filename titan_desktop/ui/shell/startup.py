"""How long the start took, from the start of the process, for `--startup-report` and the benchmark."""

import json
import os
import sys
import time
from pathlib import Path


class StartupReport:
    """Milliseconds since the process began, by the step that was reached."""

    def __init__(self) -> None:
        self._steps: dict[str, float] = {}
        self._began_s = time.monotonic() - _process_age_s()

    def mark(self, step: str) -> None:
        """Note that a step was reached; the first time counts."""
        self._steps.setdefault(step, round((time.monotonic() - self._began_s) * 1000, 1))

    def write(self, path: Path) -> None:
        """Write the steps as one JSON object; who sees the file sees all of it. Raises OSError."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(json.dumps(self._steps) + "\n", "utf-8")
        beside.replace(path)


def _process_age_s() -> float:
    """Return how long this process has been running."""
    if sys.platform == "linux":
        # psutil adds the time of the boot in whole seconds; the kernel knows better. Field 22 of proc(5), in clock
        # ticks since boot; the name in field 2 may hold spaces and brackets.
        ticks = int(Path("/proc/self/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    else:  # noqa: RET505 - mypy reads each system's branch, and would call what follows unreachable
        import psutil

        return time.time() - float(psutil.Process().create_time())
