"""Passes a key, or the password of the key file, to the running core, through a socket of its own.

Neither travels on the bus, whose events are written to disk, archived, and read by other programs. Only the core's
user can open the socket. Where the system has no unix sockets (Windows) it has a keyring, and nothing comes here.
"""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path

import msgspec

from titan_desktop.system.paths import Paths

ANSWER_S = 90.0
"""The core reads all keys again before it answers, and a keyring may ask the person for its own password."""
LINE_BYTES_MAX = 16_384


class Outcome(StrEnum):
    """What the core says."""

    DONE = "done"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  # a code, no password
    DAMAGED = "damaged"
    NOT_UNDERSTOOD = "not_understood"


class Hold(msgspec.Struct, frozen=True, tag="hold"):
    """Keep this endpoint's key until the core ends; "" drops it."""

    base_url: str
    key: str

    def __repr__(self) -> str:
        """Leave the key out: a repr ends in logs."""
        return "Hold(…)"


class Unlock(msgspec.Struct, frozen=True, tag="unlock"):
    """Open the file of keys."""

    password: str

    def __repr__(self) -> str:
        """Leave the password out."""
        return "Unlock(…)"


def socket_of(paths: Paths) -> Path:
    """Return where the core listens."""
    return paths.sockets() / "keys.sock"


async def give(paths: Paths, what: Hold | Unlock) -> Outcome:
    """Give it to the core; when it is done, the models use it.

    Raises:
        OSError: no core is there, it does not answer, or this system has no unix sockets.
    """
    if sys.platform == "win32":
        raise OSError("this system has no unix sockets")
    else:  # noqa: RET506 - mypy reads each system's branch, and would call what follows unreachable
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(socket_of(paths))
            try:
                writer.write(msgspec.json.encode(what) + b"\n")
                answer = await reader.readline()
            finally:
                writer.close()
        try:
            return Outcome(answer.decode().strip())
        except ValueError as error:
            raise ConnectionResetError("the core hung up") from error
