"""`titan key set|delete|status`: stores the key of the model's endpoint in the system's keyring.

A key belongs to one endpoint, the one in the settings unless `--endpoint` names another, and is sent to no other.
It is a process separate from the core, because a key never travels on the bus: the window runs `titan key set` and
writes the key to its standard input. The key is never an argument, which every process could read, and is never
printed.
"""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Sequence

from titan_desktop import settings
from titan_desktop.adapters.keyring.secrets import VARIABLE, KeyringSecrets
from titan_desktop.ports.secrets import Secrets, SecretsUnavailableError
from titan_desktop.system.paths import Paths

DONE = 0
USAGE = 2
NO_KEYRING = 3
KEY_CHARS_MAX = 4096


def main(argv: Sequence[str]) -> int:
    """Run one of the three. Returns 0 when done, 2 for wrong usage, input or settings, 3 without a keyring."""
    parser = argparse.ArgumentParser(
        prog="titan key", description="Keep the key of the model's endpoint in the system's keyring."
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help="whose key; without it, that of the model in the settings"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("set", help="read the key from standard input and store it")
    actions.add_parser("delete", help="take the key out of the keyring")
    actions.add_parser("status", help="say where the key is from")
    try:
        options = parser.parse_args(argv)
    except SystemExit as ended:
        return DONE if not ended.code else USAGE
    work = {"set": _set, "delete": _delete, "status": _status}[options.action]
    try:
        return asyncio.run(work(KeyringSecrets(), options.endpoint or _endpoint_in_the_settings()))
    except settings.SettingsError as error:
        _complain(str(error))
        return USAGE
    except SecretsUnavailableError as error:
        _complain(str(error))
        return NO_KEYRING


def _endpoint_in_the_settings() -> str:
    return (
        settings.load(Paths.from_environment().settings_file).model.base_url.strip()
        or settings.DEFAULT_BASE_URL
    )


async def _set(secrets: Secrets, base_url: str) -> int:
    key = _read_key()
    if not key:
        _complain("No key was given: write it to standard input, as in `titan key set < file`.")
        return USAGE
    if len(key) > KEY_CHARS_MAX or not key.isascii() or not key.isprintable() or " " in key:
        _complain("This is no key: a key is one word of Latin letters, digits and signs. Copy it once more.")
        return USAGE
    await secrets.store(key, base_url)
    _say(f"The key for {settings.shown_url(base_url)} is in the keyring.")
    return DONE


async def _delete(secrets: Secrets, base_url: str) -> int:
    was_there = await secrets.delete(base_url)
    _say(
        f"The key for {settings.shown_url(base_url)} is no longer in the keyring."
        if was_there
        else f"There was no key for {settings.shown_url(base_url)} in the keyring."
    )
    return DONE


async def _status(secrets: Secrets, base_url: str) -> int:
    key = await secrets.key(base_url)
    if key is None:
        _say(f"There is no key for {settings.shown_url(base_url)}. Store one with `titan key set`.")
    elif key.source == "environment":
        _say(f"The key for {settings.shown_url(base_url)} is from the environment variable {VARIABLE}.")
    else:
        _say(f"The key for {settings.shown_url(base_url)} is in the keyring.")
    return DONE


def _read_key() -> str:
    """Read the piped input, or ask without echo."""
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
