"""What the tests fetch once and keep: servers and clients of other people, in a cache folder.

Each is named after a digest of what it was made from, so a second run needs neither the tool nor a network.
`TITAN_TEST_CACHE` moves the folder.
"""

import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from titan_desktop.system.file_lock import FileLock

TIMEOUT_S = 600


class CannotRunError(Exception):
    """This machine lacks what somebody else's program needs; the text says what."""


def place_of(name: str, made_from: Iterable[Path]) -> Path:
    """Return where it is kept, whether it is there or not."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_from))
    cache = os.environ.get("TITAN_TEST_CACHE") or Path.home() / ".cache" / "titan-tests"
    return Path(cache).expanduser() / f"{name}-{digest.hexdigest()[:12]}"


def fetched(place: Path, make: Callable[[Path], None]) -> Path:
    """Return `place`, made now by `make`, which fills the folder that it is given, if it is not there.

    Raises:
        CannotRunError: another run of the tests is making it, and does not come to an end.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_suffix(".lock"))
    deadline = time.monotonic() + TIMEOUT_S
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise CannotRunError(f"another run has been making {place} for {TIMEOUT_S} s")
        time.sleep(0.2)
    with lock:
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                made = Path(folder) / "made"
                make(made)
                made.rename(place)
    return place


def run(command: Sequence[str | Path], cwd: Path | None = None) -> None:
    """Run a tool.

    Raises:
        CannotRunError: it failed; with the end of what it said.
    """
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    if ended.returncode:
        raise CannotRunError(f"{command[0]} failed: {(ended.stdout + ended.stderr)[-2000:]}")
