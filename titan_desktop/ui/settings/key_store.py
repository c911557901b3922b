"""Keeps a key: through the child process `titan key`, which stores it, or the core, which holds it in memory.

A key never travels on the bus: it goes to the child by its standard input, to the core by `client.key_socket`.
"""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, field
from enum import Enum, auto

from PySide6.QtCore import QCoreApplication

from titan_desktop.client import key_socket
from titan_desktop.system import processes
from titan_desktop.system.paths import Paths

TIMEOUT_S = 60.0
"""The keyring may ask the person for its own password meanwhile."""


class Keeping(Enum):
    """Where a key is kept."""

    KEYRING = auto()
    PASSWORD = auto()
    """In a file, under a password of the person's own."""
    RUN = auto()
    """By the core, until it ends."""


@dataclass(frozen=True)
class Kept:
    """A key that is to be kept, and how. `password` is set for `Keeping.PASSWORD`."""

    base_url: str
    key: str = field(repr=False)
    how: Keeping = Keeping.KEYRING
    password: str = field(default="", repr=False)


class Trouble(Enum):
    """What stands in the way."""

    KEY = auto()
    NO_KEYRING = auto()
    """There is another way to keep it."""
    PASSWORD = auto()


_TROUBLES = {3: Trouble.NO_KEYRING, 4: Trouble.PASSWORD}
"""By the exit code of `titan key`."""


@dataclass(frozen=True)
class Refusal:
    """Why a key is not kept: the sentence, with the cure."""

    sentence: str
    trouble: Trouble = Trouble.KEY


async def keep(kept: Kept, paths: Paths) -> Refusal | None:
    """Keep the key; return why not."""
    words = ["key", "--endpoint", kept.base_url, "set"]
    match kept.how:
        case Keeping.KEYRING:
            return await _run(words, kept.key)
        case Keeping.PASSWORD:
            return await _run([*words, "--file"], f"{kept.key}\n{kept.password}")
        case Keeping.RUN:
            return await _hold(kept, paths)


async def _hold(kept: Kept, paths: Paths) -> Refusal | None:
    try:
        outcome = await key_socket.give(paths, key_socket.Hold(kept.base_url, kept.key))
    except OSError:
        return Refusal(QCoreApplication.translate("Key", "Titan is still starting. Save again in a moment."))
    if outcome is key_socket.Outcome.DONE:
        return None
    return Refusal(
        QCoreApplication.translate("Key", "The key could not be stored: {reason}.").format(reason=outcome)
    )


async def _run(words: list[str], given: str) -> Refusal | None:
    translate = QCoreApplication.translate
    try:
        process = await asyncio.create_subprocess_exec(
            *processes.command(*words),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            env=processes.own_environment(),
        )
    except OSError as error:
        return Refusal(
            translate("Key", "The key could not be stored: {reason}.").format(reason=error.strerror)
        )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, complaint = await process.communicate(given.encode())
    except TimeoutError:
        return Refusal(
            translate("Key", "The keyring did not answer. The key is not stored."), Trouble.NO_KEYRING
        )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return None
    trouble = _TROUBLES.get(process.returncode or 0, Trouble.KEY)
    said = complaint.decode("utf-8", "replace").strip().splitlines()
    if said:
        return Refusal(said[-1].removeprefix("titan key: "), trouble)
    sentence = translate("Key", "The key could not be stored: {reason}.").format(reason=process.returncode)
    return Refusal(sentence, trouble)
