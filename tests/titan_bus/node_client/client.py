"""The Node.js client with its packages, which are kept (`fetched`).

The lock file names no registry: npm takes the one that it is configured for.
"""

import shutil
import subprocess
import time
from pathlib import Path

from tests import fetched
from tests.fetched import CannotRunError

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc", "client.js")
ATTEMPTS = 3
NODE_MAJOR = 18


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
    return fetched.place_of("node-client", [HERE / name for name in FILES])


def build() -> Path:
    """Return the folder with `client.js` and `node_modules`, fetched now if the cache lacks it.

    Raises:
        CannotRunError: a tool is missing, or the packages cannot be fetched.
    """
    if lack := missing_tool():
        raise CannotRunError(lack)
    return fetched.fetched(_built(), _fetch)


def _fetch(folder: Path) -> None:
    folder.mkdir()
    for name in FILES:
        shutil.copy(HERE / name, folder)
    # No package's own scripts run: none of these needs one.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    for attempt in range(ATTEMPTS):
        try:
            fetched.run(command, folder)
        except CannotRunError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(2**attempt)
        else:
            return
