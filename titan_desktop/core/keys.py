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
from titan_desktop.client import problems
from titan_desktop.client.sentences import Language, Words, chosen
from titan_desktop.contracts.problem import Code
from titan_desktop.ports.secrets import Secrets, SecretsUnavailableError
from titan_desktop.system.paths import Paths

DONE = 0
USAGE = 2
NO_KEYRING = 3
KEY_CHARS_MAX = 4096

_IN_KEYRING = Words("The key for {url} is in the keyring.", "Ключ для {url} — в хранилище паролей.")
_IN_ENVIRONMENT = Words(
    "The key for {url} is from the environment variable {variable}.",
    "Ключ для {url} взят из переменной окружения {variable}.",
)
_MISSING = Words(
    "There is no key for {url}. Store one with `titan key set`.",
    "Ключа для {url} нет. Сохраните его командой `titan key set`.",
)
_DELETED = Words(
    "The key for {url} is no longer in the keyring.", "Ключа для {url} больше нет в хранилище паролей."
)
_WAS_NOT_THERE = Words(
    "There was no key for {url} in the keyring.", "Ключа для {url} в хранилище паролей и не было."
)
_NOT_GIVEN = Words(
    "No key was given: write it to standard input, as in `titan key set < file`.",
    "Ключ не задан: передайте его на стандартный ввод, как в `titan key set < файл`.",
)
_NO_KEY_AT_ALL = Words(
    "This is no key: a key is one word of Latin letters, digits and signs. Copy it once more.",
    "Это не ключ: ключ — одно слово из латинских букв, цифр и знаков. Скопируйте его ещё раз.",
)


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
        fields = {"path": str(error.path), "reason": error.reason}
        _complain(problems.PROBLEMS[Code.SETTINGS_UNREADABLE], **fields)
        return USAGE
    except SecretsUnavailableError as error:
        _complain(problems.PROBLEMS[Code.KEYRING_UNUSABLE], reason=error.reason)
        return NO_KEYRING


def _endpoint_in_the_settings() -> str:
    return (
        settings.load(Paths.from_environment().settings_file).model.base_url.strip()
        or settings.DEFAULT_BASE_URL
    )


async def _set(secrets: Secrets, base_url: str) -> int:
    key = _read_key()
    if not key:
        _complain(_NOT_GIVEN)
        return USAGE
    if len(key) > KEY_CHARS_MAX or not key.isascii() or not key.isprintable() or " " in key:
        _complain(_NO_KEY_AT_ALL)
        return USAGE
    await secrets.store(key, base_url)
    _say(_IN_KEYRING, base_url)
    return DONE


async def _delete(secrets: Secrets, base_url: str) -> int:
    was_there = await secrets.delete(base_url)
    _say(_DELETED if was_there else _WAS_NOT_THERE, base_url)
    return DONE


async def _status(secrets: Secrets, base_url: str) -> int:
    key = await secrets.key(base_url)
    if key is None:
        _say(_MISSING, base_url)
    elif key.source == "environment":
        _say(_IN_ENVIRONMENT, base_url)
    else:
        _say(_IN_KEYRING, base_url)
    return DONE


def _read_key() -> str:
    """Read the piped input, or ask without echo."""
    try:
        if sys.stdin.isatty():
            return getpass.getpass("Key: ").strip()
        return sys.stdin.read(KEY_CHARS_MAX * 2).strip()
    except (EOFError, KeyboardInterrupt, UnicodeDecodeError):
        return ""


def _language() -> Language:
    try:
        return chosen(settings.load(Paths.from_environment().settings_file).language)
    except settings.SettingsError:
        return chosen("system")


def _say(words: Words, base_url: str) -> None:
    sentence = words.say(_language(), url=settings.shown_url(base_url), variable=VARIABLE)
    sys.stdout.write(f"{sentence}\n")


def _complain(words: Words, **fields: str) -> None:
    sys.stderr.write(f"titan key: {words.say(_language(), **fields)}\n")
