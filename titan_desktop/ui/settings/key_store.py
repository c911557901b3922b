"""Puts a key into the keyring through the child process `titan key`: a key never travels on the bus."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE

from PySide6.QtCore import QCoreApplication

from titan_desktop.system import processes

TIMEOUT_S = 60.0
"""The keyring may ask the person for its own password meanwhile."""


async def store_key(key: str) -> str:
    """Store the key; return "", or the sentence that says why not and the cure."""
    return await _run(["key", "set"], key)


async def delete_key() -> str:
    """Take the key out of the keyring; return "", or the sentence that says why not."""
    return await _run(["key", "delete"], "")


async def _run(words: list[str], given: str) -> str:
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
        return translate("Key", "The key could not be stored: {reason}.").format(reason=error.strerror)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, complaint = await process.communicate(given.encode())
    except TimeoutError:
        return translate("Key", "The keyring did not answer. The key is not stored.")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return ""
    said = complaint.decode("utf-8", "replace").strip().splitlines()
    if said:
        return said[-1].removeprefix("titan key: ")
    return translate("Key", "The key could not be stored: {reason}.").format(reason=process.returncode)
