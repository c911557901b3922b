"""Asks in the terminal for the password of the keys' file, where the core says that they are locked."""

import asyncio
import getpass
import sys

from titan_bus import Bus
from titan_desktop.client import key_socket
from titan_desktop.commands import output, sentences
from titan_desktop.contracts import message, system
from titan_desktop.contracts.problem import Code
from titan_desktop.system.paths import Paths

TRIES = 3


async def run(bus: Bus, paths: Paths, says: sentences.Table) -> None:
    """Ask until they are open, nothing is typed, or TRIES passwords were wrong; then go on without them."""
    status = await message.ask(bus, system.GetStatus(), timeout_s=10.0)
    locked = next((problem for problem in status.problems if problem.code == Code.KEYS_LOCKED), None)
    if locked is None:
        return
    for _ in range(TRIES if sys.stdin is not None and sys.stdin.isatty() else 0):
        try:
            password = await asyncio.to_thread(getpass.getpass, says["password"])
        except EOFError:
            break
        if not password:
            break
        try:
            outcome = await key_socket.give(paths, key_socket.Unlock(password))
        except OSError as error:
            output.complain(says["no_core"].format(reason=output.line(str(error)), log=paths.logs))
            break
        if outcome is not key_socket.Outcome.WRONG_PASSWORD:
            return
        output.complain(says["wrong_password"])
    output.complain(f"titan: {sentences.for_problem(says, locked)}")
