"""The core process: the only place where services, adapters and stores are put together.

`main` runs it; `composition` composes the services; nothing outside this package imports more than `main`.
"""

from collections.abc import Sequence


def main(argv: Sequence[str] = ()) -> int:
    """Run the core until no client needs it. See `core.process`."""
    from titan_desktop.core import process

    return process.main(argv)
