"""What was written and has not reached the core, on the disk: closing or killing the window loses nothing.

Questions stand in the file until the core has stored them, drafts until they are sent or deleted. The file is
away while there is nothing to keep. There is one window, so there is one writer.
"""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from titan_desktop.contracts.chat import SendPrompt
from titan_desktop.ui.base.tasks import Tasks

log = logging.getLogger(__name__)

FILE_NAME = "unsent.json"
_PAUSE_S = 0.3
"""Between two writings: a person who types changes the draft ten times a second."""


class Unsent(msgspec.Struct, frozen=True):
    """What the next window takes up.

    Attributes:
        prompts: oldest first.
        drafts: by conversation; "" is the one that comes to be with its first question.
    """

    prompts: tuple[SendPrompt, ...] = ()
    drafts: dict[str, str] = {}


def read(path: Path) -> Unsent:
    """Return what is kept. A file that cannot be understood is put aside, not overwritten."""
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
    """Replace the file in one step, or take it away when nothing is unsent. Raises OSError."""
    if unsent == Unsent():
        path.unlink(missing_ok=True)
        return
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(unsent))
    fresh.replace(path)


class UnsentFile:
    """Keeps the file true to what a window holds, away from the loop.

    Args:
        path: the file.
        current: what is unsent now.
        tasks: who runs the writing.
        on_kept: called with whether the file says what is unsent; False at once with a change.
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
        """What an earlier window left could not be read."""
        self._written: Unsent | None = None
        """What the file says; None before it was read, and unread it is not written over."""
        self._writing = False

    async def read(self) -> Unsent:
        """Return what an earlier window left."""
        stood = self._path.exists()
        self._written = await asyncio.to_thread(read, self._path)
        self.was_damaged = stood and self._written == Unsent()  # nothing is no file
        return self._written

    def note_change(self) -> None:
        """Write soon what is unsent now: at once, or after the pause since the last writing."""
        self._on_kept(False)
        if not self._writing:
            self._writing = True
            self._tasks.start(self._write_changes(), "keep what is unsent")

    async def write(self) -> None:
        """Write what is unsent now, unless the file says so already."""
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
        """Run in a thread. It goes on when whoever waits for it is cancelled, so two may meet at the end."""
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
