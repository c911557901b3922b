"""`titan key set|delete|status`: the key of the model's endpoint, put into the system's keyring.

A program of its own beside the core, because a key never travels on the bus: the window runs `titan key set` and
writes the key to its standard input. The key is never an argument, which every process could read, and is never
printed.
"""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Sequence

from titan_desktop.adapters.keyring_secrets import VARIABLE, KeyringSecrets
from titan_desktop.ports.secrets import Secrets, SecretsUnavailableError

DONE = 0
USAGE = 2
NO_KEYRING = 3
KEY_CHARS_MAX = 4096


def main(argv: Sequence[str]) -> int:
    """Run one of the three; return 0 when done, 2 for wrong usage or no key in the input, 3 without a keyring."""
    parser = argparse.ArgumentParser(
        prog="titan key", description="Keep the key of the model's endpoint in the system's keyring."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("set", help="read the key from standard input and store it")
    actions.add_parser("delete", help="take the key out of the keyring")
    actions.add_parser("status", help="say where the key is from")
    try:
        action = parser.parse_args(argv).action
    except SystemExit as ended:
        return DONE if not ended.code else USAGE
    work = {"set": _set, "delete": _delete, "status": _status}[action]
    try:
        return asyncio.run(work(KeyringSecrets()))
    except SecretsUnavailableError as error:
        _complain(str(error))
        return NO_KEYRING


async def _set(secrets: Secrets) -> int:
    key = _read_key()
    if not key:
        _complain("No key was given: write it to standard input, as in `titan key set < file`.")
        return USAGE
    if len(key) > KEY_CHARS_MAX or not key.isascii() or not key.isprintable() or " " in key:
        _complain("This is no key: a key is one word of Latin letters, digits and signs. Copy it once more.")
        return USAGE
    await secrets.store(key)
    _say("The key is in the keyring.")
    return DONE


async def _delete(secrets: Secrets) -> int:
    was_there = await secrets.delete()
    _say("The key is no longer in the keyring." if was_there else "There was no key in the keyring.")
    return DONE


async def _status(secrets: Secrets) -> int:
    key = await secrets.key()
    if key is None:
        _say("There is no key. Store one with `titan key set`.")
    elif key.source == "environment":
        _say(f"The key is from the environment variable {VARIABLE}.")
    else:
        _say("The key is in the keyring.")
    return DONE


def _read_key() -> str:
    """Read what was piped in, or ask without echo."""
    try:
        if sys.stdin.isatty():
            return getpass.getpass("Key: ").strip()
        return sys.stdin.read(KEY_CHARS_MAX * 2).strip()
    except (EOFError, KeyboardInterrupt, UnicodeDecodeError):
        return ""


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


def _complain(sentence: str) -> None:
    sys.stderr.write(f"titan key: {sentence}\n")
