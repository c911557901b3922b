"""Stores on disk what was written and has not reached the core: closing or killing the window loses nothing.

Questions are in the file until the core has stored them, drafts until they are sent or deleted. There is no file
while there is nothing to store. There is one window, so there is one writer.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from titan_desktop.contracts.chat import SendPrompt
from titan_desktop.system import private_files
from titan_desktop.ui.base.tasks import Tasks

log = logging.getLogger(__name__)

FILE_NAME = "unsent.json"
_PAUSE_S = 0.3
"""The interval between two writes: typing changes the draft ten times a second."""


class Unsent(msgspec.Struct, frozen=True):
    """What the next window restores.

    Attributes:
        prompts: oldest first.
        drafts: by conversation; "" is a new one before its first question.
    """

    prompts: tuple[SendPrompt, ...] = ()
    drafts: dict[str, str] = {}


def read(path: Path) -> Unsent:
    """Return the stored data. An unreadable file is set aside, not overwritten."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Unsent)
    except FileNotFoundError:
        return Unsent()
    except (OSError, msgspec.DecodeError) as error:
        log.warning("what was unsent cannot be read from %s: %s", path, error)
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".broken"))
        return Unsent()


def write(path: Path, unsent: Unsent) -> None:
    """Replace the file atomically, or remove it when nothing is unsent. Raises OSError."""
    if unsent == Unsent():
        path.unlink(missing_ok=True)
        return
    private_files.replace(path, msgspec.json.encode(unsent).decode())


class UnsentFile:
    """Keeps the file up to date, outside the loop.

    Args:
        path: the file.
        current: returns what is unsent now.
        tasks: runs the writes.
        on_kept: called with whether the file is up to date; False at once with a change.
    """

    def __init__(
        self,
        path: Path,
        current: Callable[[], Unsent],
        tasks: Tasks,
        on_kept: Callable[[bool], None] = lambda _kept: None,
    ) -> None:
        self._path = path
        self._current = current
        self._tasks = tasks
        self._on_kept = on_kept
        self._newest = Unsent()
        self._lock = threading.Lock()
        self._failed = False
        self.was_damaged = False
        """Whether the file of an earlier window was unreadable."""
        self._written: Unsent | None = None
        """The content of the file; None before it was read, and then it is not overwritten."""
        self._writing = False

    async def read(self) -> Unsent:
        """Return what an earlier window left."""
        stood = self._path.exists()
        self._written = await asyncio.to_thread(read, self._path)
        self.was_damaged = stood and self._written == Unsent()  # nothing is no file
        return self._written

    def note_change(self) -> None:
        """Write the unsent data soon: at once, or after the interval since the last write."""
        self._on_kept(False)
        if not self._writing:
            self._writing = True
            self._tasks.start(self._write_changes(), "keep what is unsent")

    async def write(self) -> None:
        """Write the unsent data, unless the file is up to date."""
        unsent = self._current()
        if self._written is None:
            return
        if unsent != self._written:
            try:
                self._newest = unsent
                await asyncio.to_thread(self._write_newest)
                self._failed = False
            except OSError as error:
                log.warning("what is unsent cannot be kept in %s: %s", self._path, error)
                self._failed = True
            if unsent == self._newest:
                self._written = (
                    unsent  # also on a full disk, which is not tried again before something changes
                )
        self._on_kept(not self._failed and self._current() == self._written)

    def _write_newest(self) -> None:
        """Write, in a thread. It continues when the waiting task is cancelled, so two may run at the end."""
        with self._lock:
            write(self._path, self._newest)

    async def _write_changes(self) -> None:
        try:
            await self.write()
            await asyncio.sleep(_PAUSE_S)
            while self._current() != self._written:
                await self.write()
                await asyncio.sleep(_PAUSE_S)
        finally:
            self._writing = False
