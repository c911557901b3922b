"""Starts a core that outlives its parent. The window imports this first, so it imports little.

`client` offers it too; it is separate because `asyncio` takes longer to import than all of this.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from titan_desktop.system import private_files, processes
from titan_desktop.system.file_lock import is_held
from titan_desktop.system.paths import Paths

log = logging.getLogger(__name__)

LOG_BYTES_MAX = 256_000


def spawn_core(paths: Paths, environment: Mapping[str, str] = os.environ) -> "subprocess.Popen[bytes] | None":
    """Start a core, unless one runs or its folders cannot be created. Returns at once.

    Keys and passwords of the environment go through a pipe: what a process was started with stands in /proc, for
    every program of the same user, as long as it runs.

    Two cores started at the same time do no harm: the second finds the lock taken and ends with 0.
    """
    try:
        paths.create()
        if is_held(paths.core_lock):
            return None
        with private_files.append(start_log(paths)) as output:
            core: subprocess.Popen[bytes] = subprocess.Popen(
                processes.command("core", processes.SECRETS_ON_STDIN),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=processes.own_environment(environment),
                cwd=paths.data,  # not the client's folder, which may be unmounted or removed
                **_detached(),
            )
    except OSError as error:
        log.warning("cannot start the core: %s", error)
        return None
    _hand_over(core, processes.handed_over(environment))
    return core


def _hand_over(core: "subprocess.Popen[bytes]", secrets: Mapping[str, str]) -> None:
    """Write the secrets to the core; a pipe holds more than them, so this does not wait."""
    assert core.stdin is not None  # noqa: S101 - it was asked for
    try:
        with core.stdin as pipe:
            pipe.write(json.dumps(dict(secrets)).encode())
    except OSError as error:  # it has ended, and its exit code says why
        log.info("the core did not read what it was given at its start: %s", error)


def start_log(paths: Paths) -> Path:
    """Return the file for a core's output before its log is open; truncated when it has grown."""
    path = paths.logs / "core-start.log"
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.unlink()
    return path


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    else:  # noqa: RET505 - mypy reads each system's branch, and would call what follows unreachable
        return {"start_new_session": True}
