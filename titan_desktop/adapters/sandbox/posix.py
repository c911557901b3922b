"""What any POSIX system can deny a process: files that grow, and core dumps.

Weak, because what is written before the limit is met stays a danger to others, but everywhere and at no cost.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from titan_desktop.contracts.security import Mechanism

if sys.platform != "win32":
    import resource

    class PosixSandbox:
        """See `ports.sandbox.Sandbox`; for systems without one of their own."""

        def close(self, readable: Sequence[Path]) -> tuple[Mechanism, ...]:  # noqa: ARG002 - cannot be bounded
            """See `Sandbox`."""
            return (limit_files(),)

    def limit_files() -> Mechanism:
        """Let no file grow and no memory be dumped, which would hold the person's text (setrlimit(2))."""
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (OSError, ValueError) as error:
            return Mechanism(name="rlimits", in_force=False, detail=str(error))
        return Mechanism(name="rlimits", in_force=True)
