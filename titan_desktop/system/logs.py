"""Log files of the window and the core: readable by their owner only, and bounded in size.

All logs together, those of `bounded_file` too, have at most 50 MB.
"""

import logging
from contextvars import ContextVar
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from titan_desktop.system import private_files

FILE_BYTES = 2_000_000
FILES = 5
trace: ContextVar[str] = ContextVar("trace", default="-")
"""The trace of the event that is being handled; written in each log line meanwhile."""


class _PrivateHandler(RotatingFileHandler):
    """Creates each file with mode 0600, whatever the umask."""

    def _open(self) -> TextIOWrapper:
        # `errors`: a file's name may contain bytes that are no text, and a log line must not fail for it.
        return TextIOWrapper(
            private_files.append(Path(self.baseFilename)), encoding="utf-8", errors="replace"
        )


def _with_trace(record: logging.LogRecord) -> bool:
    record.trace = trace.get()
    return True


def start(path: Path, level: int) -> None:
    """Log everything of this process at `level` and above to a file. Raises OSError."""
    private_files.make_folder(path.parent)
    handler = _PrivateHandler(path, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8")
    handler.addFilter(_with_trace)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(trace)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)  # standard error is not bounded everywhere
    # They log requests with their URLs at INFO.
    for name in ("httpx", "httpcore", "httpx2", "httpcore2", "openai", "neo4j", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
