"""The core's log: `core.log`, at most 10 MB in all, readable by its owner alone, never with a secret in it."""

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_BYTES = 2_000_000
FILES = 5


class _PrivateHandler(RotatingFileHandler):
    """Makes each new file with mode 0600, not with what the umask allows."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def start(folder: Path) -> None:
    """Send every logger of this process there. Raises OSError."""
    handler = _PrivateHandler(
        folder / "core.log", maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # They log requests with their URLs at INFO.
    for name in ("httpx", "httpcore", "openai", "neo4j", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
