"""The Node.js client with its packages, which stay in a cache folder named after a digest of the lock file.

A second run needs no network. `TITAN_TEST_CACHE` moves the folder. The lock file names no registry: npm takes the
one that it is configured for.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from titan_desktop.locks import FileLock

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc", "client.js")
FETCH_TIMEOUT_S = 600
ATTEMPTS = 3
NODE_MAJOR = 18


class CannotRunError(Exception):
    """This machine lacks what the client needs; the text says what."""


def missing_tool() -> str:
    """Return what this machine lacks to run the client, or ""."""
    if shutil.which("node") is None:
        return "Node.js is not installed"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.lstrip("v").split(".")[0]) < NODE_MAJOR:
        return f"the client needs Node.js {NODE_MAJOR} or newer"
    if shutil.which("npm") is None and not _built().is_dir():
        return "npm is not installed, and the cache has no packages yet"
    return ""


def _built() -> Path:
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES))
    cache = os.environ.get("TITAN_TEST_CACHE") or Path.home() / ".cache" / "titan-tests"
    return Path(cache).expanduser() / f"node-client-{digest.hexdigest()[:12]}"


def build() -> Path:
    """Return the folder with `client.js` and `node_modules`, fetched now if the cache lacks it.

    Raises:
        CannotRunError: a tool is missing, or the packages cannot be fetched.
    """
    if lack := missing_tool():
        raise CannotRunError(lack)
    built = _built()
    built.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(built.with_suffix(".lock"))
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    while not lock.acquire():  # another run of the tests is fetching
        if time.monotonic() > deadline:
            raise CannotRunError(f"another run has been fetching the packages for {FETCH_TIMEOUT_S} s")
        time.sleep(0.2)
    with lock:
        if not built.is_dir():
            with tempfile.TemporaryDirectory(dir=built.parent) as name:
                _fetch(Path(name) / "client")
                (Path(name) / "client").rename(built)
    return built


def _fetch(folder: Path) -> None:
    folder.mkdir()
    for name in FILES:
        shutil.copy(HERE / name, folder)
    # No package's own scripts run: none of these needs one.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    for attempt in range(ATTEMPTS):
        ended = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S
        )
        if ended.returncode == 0:
            return
        time.sleep(2**attempt)
    raise CannotRunError(f"npm ci failed: {(ended.stdout + ended.stderr)[-2000:]}")
