"""Connects to the running core, or starts one."""

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from titan_desktop.client import core_record
from titan_desktop.client.link import CoreLink, disown
from titan_desktop.client.spawn import LOG_BYTES_MAX, spawn_core, start_log
from titan_desktop.contracts.topics import EDITION
from titan_desktop.system.file_lock import is_held
from titan_desktop.system.paths import Paths

if TYPE_CHECKING:
    import subprocess

log = logging.getLogger(__name__)

POLL_S = 0.02
ANSWER_S = 1.5
"""A running core answers GetStatus in milliseconds; one that is shutting down does not."""
SPAWNS_MAX = 3
OTHERS_S = 3.0
"""How long to wait for the end of a core that was started with other settings and may have no client."""
FULL_DISK_BYTES = 1_000_000
"""With less free space than this a full disk is the only explanation for a core that cannot write."""

Progress = Callable[[str], None]
"""Takes `"starting"` when a core had to be started, then `"connecting"`."""


class CoreUnavailableError(Exception):
    """There is no core and none could be started. `sentence` says why and the cure."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


async def connect_core(
    paths: Paths,
    *,
    source: str,
    client_id: str,
    spawn: bool = True,
    timeout_s: float = 30.0,
    on_progress: Progress | None = None,
) -> CoreLink:
    """Connect to the core, bringing one up if there is none.

    Args:
        paths: of the installation.
        source: who we are, for `meta.source`: `titan-window@v0.1.0`.
        client_id: under which the core counts us.
        spawn: False asks for a running core only.
        timeout_s: for all of it.
        on_progress: told what takes time.

    Raises:
        CoreUnavailableError: with the cure and what the core said last.
    """
    search = _Search(paths, source, client_id, on_progress or (lambda _step: None))
    try:
        async with asyncio.timeout(timeout_s):
            return await search.run(spawn=spawn)
    except TimeoutError:
        raise CoreUnavailableError(_why_silent(paths, timeout_s)) from None


def _why_silent(paths: Paths, timeout_s: float) -> str:
    with contextlib.suppress(OSError):
        if shutil.disk_usage(paths.data).free < FULL_DISK_BYTES:
            return f"The disk is full: free some of it at {paths.data}, then Titan goes on by itself."
    record = core_record.read(paths.core_file)
    if record is not None and record.edition != EDITION:
        return (
            f"A core of another version of Titan is running, process {record.pid}. Close that Titan's windows, "
            "and end the process if it stays."
        )
    return f"Titan's core did not answer within {timeout_s:g} s. Its log is {paths.logs / 'core.log'}."


class _Search:
    """One attempt to reach a core."""

    def __init__(self, paths: Paths, source: str, client_id: str, on_progress: Progress) -> None:
        self._paths = paths
        self._source = source
        self._client_id = client_id
        self._on_progress = on_progress
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = time.monotonic()
        self._spawned = 0
        self._log_begins = 0
        self._stale: core_record.CoreRecord | None = None

    async def run(self, *, spawn: bool) -> CoreLink:
        """Look until a core answers."""
        try:
            while True:
                if self._may_look():
                    if is_held(self._paths.core_lock):
                        if (link := await self._try()) is not None:
                            return link
                    else:
                        self._start_one(allowed=spawn)
                await asyncio.sleep(POLL_S)
        except BaseException:
            if self._process is not None:
                disown(self._process)
            raise

    def _may_look(self) -> bool:
        """Looking takes the lock for an instant, in which a core that is starting would find it taken.

        So we do not look while the one that we started lives and has said nothing yet.
        """
        if self._process is None or self._process.poll() is not None:
            return True
        record = core_record.read(self._paths.core_file)
        return record is not None and record != self._stale

    async def _try(self) -> CoreLink | None:
        """Connect and ask for a sign of life; None when this core is not there yet, or no longer."""
        record = core_record.read(self._paths.core_file)
        if record is None or record.edition != EDITION:  # it ends by itself when its last client has left
            return None
        if core_record.unheard(record, os.environ) and self._has_just_begun():
            return None
        from titan_bus import Bus, BusConfig, BusError
        from titan_desktop.contracts.message import ask
        from titan_desktop.contracts.streams import STREAMS
        from titan_desktop.contracts.system import GetStatus

        self._on_progress("connecting")
        bus = Bus(BusConfig(url=record.bus_url, source=self._source, streams=STREAMS))
        try:
            await bus.open()
            status = await ask(bus, GetStatus(), ANSWER_S)
        except BusError as error:
            log.debug("no answer yet: %s", error)
        except BaseException:
            await bus.close()
            raise
        else:
            if status.pid == record.pid and core_record.read(self._paths.core_file) == record:  # else it ends
                return CoreLink(bus, record, self._client_id, self._process)
        await bus.close()
        return None

    def _has_just_begun(self) -> bool:
        return time.monotonic() - self._began_s < OTHERS_S

    def _start_one(self, *, allowed: bool) -> None:
        """Start a core, unless the one that we started is still on its way."""
        if not allowed:
            raise CoreUnavailableError("Titan's core is not running. Start Titan first.")
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            if code != 0 or self._spawned >= SPAWNS_MAX:
                raise CoreUnavailableError(self._last_words(code))
        self._on_progress("starting")
        try:
            self._paths.create()
            log_file = start_log(self._paths)
        except OSError as error:
            raise CoreUnavailableError(
                f"Titan cannot use {error.filename}: {error.strerror}. Make room there or give it to your user, "
                "or set TITAN_HOME to another folder."
            ) from error
        self._log_begins = log_file.stat().st_size if log_file.exists() else 0
        self._stale = core_record.read(
            self._paths.core_file
        )  # nobody holds the lock, so a dead core wrote it
        self._spawned += 1
        self._process = spawn_core(self._paths)

    def _last_words(self, code: int) -> str:
        """What the core wrote to its standard error, which is made for people."""
        with contextlib.suppress(OSError), start_log(self._paths).open("rb") as file:
            file.seek(self._log_begins)
            lines = file.read(LOG_BYTES_MAX).decode("utf-8", "replace").strip().splitlines()
            if lines:
                return "\n".join(lines[-6:]).removeprefix("titan core: ")
        return f"Titan's core ended with {code} at its start. Its log is {self._paths.logs / 'core.log'}."
