"""`titan key set|delete|status`: stores the key of the model's endpoint in the system's keyring.

A key belongs to one endpoint, the one in the settings unless `--endpoint` names another, and is sent to no other.
Where there is no keyring, `set` asks for a password in a terminal, and seals the key under it in a file; so does
`set --file`.

It is a process separate from the core, because a key never travels on the bus: the window runs `titan key set`
and writes the key to its standard input; a core that runs is told through its own socket (`client.key_socket`). A
key is never an argument, which every process could read, and never printed.
"""

import argparse
import asyncio
import contextlib
import getpass
import sys
from collections.abc import Sequence

from msgspec.structs import replace

from titan_desktop import settings
from titan_desktop.adapters.key_file.store import KeyFile, KeyFileError, WrongPasswordError
from titan_desktop.adapters.keyring.secrets import VARIABLE, KeyringSecrets
from titan_desktop.client import key_socket, problems
from titan_desktop.client.sentences import Language, Words, chosen
from titan_desktop.contracts.problem import Code
from titan_desktop.ports.secrets import Secrets, SecretsUnavailableError
from titan_desktop.system.paths import Paths

DONE = 0
USAGE = 2
NO_KEYRING = 3
WRONG_PASSWORD = 4
KEY_CHARS_MAX = 4096

_IN_KEYRING = Words("The key for {url} is in the keyring.", "Ключ для {url} — в хранилище паролей.")
_IN_ENVIRONMENT = Words(
    "The key for {url} is from the environment variable {variable}.",
    "Ключ для {url} взят из переменной окружения {variable}.",
)
_IN_FILE = Words(
    "The key for {url} is in a file under your password.", "Ключ для {url} — в файле под вашим паролем."
)
_PASSWORD = Words(
    "This system has no keyring to use. A password keeps the key in a file; Titan asks for it at each start. "
    "Leave it empty to keep nothing.\nPassword: ",
    "В этой системе нет доступного хранилища паролей. Под паролем ключ хранится в файле; Titan спросит "
    "его при каждом запуске. Оставьте пустым, чтобы не хранить ключ.\nПароль: ",
)
_ONCE_MORE = Words("Once more: ", "Ещё раз: ")
_WRONG_PASSWORD = Words(
    "This is not the password of the stored keys. Try again, or remove them with `titan key delete`.",
    "Это не тот пароль, под которым хранятся ключи. Повторите или удалите их: `titan key delete`.",
)
_DIFFERENT = Words("The two are not the same. Nothing is stored.", "Пароли не совпали. Ничего не сохранено.")
_NO_PASSWORD = Words(
    "No password was given: write it to standard input, in a line below the key.",
    "Пароль не задан: передайте его на стандартный ввод, строкой ниже ключа.",
)
_NOT_WRITTEN = Words(
    "The key cannot be stored in {path}: {reason}. Make room there or give the folder to your user.",
    "Ключ не удаётся сохранить в {path}: {reason}. Освободите место или верните папку своему пользователю.",
)
_BAD_ADDRESS = Words(
    "{url} is not the address of a model server. Write it as https://host/v1, without user, password or key.",
    "{url} — не адрес сервера модели. Запишите его как https://host/v1, без имени, пароля и ключа.",
)
_MISSING = Words(
    "There is no key for {url}. Store one with `titan key set`.",
    "Ключа для {url} нет. Сохраните его командой `titan key set`.",
)
_DELETED = Words("The key for {url} is no longer stored.", "Ключ для {url} больше не хранится.")
_WAS_NOT_THERE = Words("There was no key for {url}.", "Ключа для {url} и не было.")
_NOT_GIVEN = Words(
    "No key was given: write it to standard input, as in `titan key set < file`.",
    "Ключ не задан: передайте его на стандартный ввод, как в `titan key set < файл`.",
)
_NO_KEY_AT_ALL = Words(
    "This is not a key: a key is one word of Latin letters, digits and signs. Copy it once more.",
    "Это не ключ: ключ — одно слово из латинских букв, цифр и знаков. Скопируйте его ещё раз.",
)


def main(argv: Sequence[str]) -> int:
    """Run one of the three and return the exit status.

    0 done, 2 wrong usage, input or settings, 3 no keyring or file to use, 4 not the password of the file.
    """
    try:
        return asyncio.run(_run(_parser().parse_args(argv)))
    except SystemExit as ended:
        return DONE if not ended.code else USAGE
    except settings.SettingsError as error:
        fields = {"path": str(error.path), "reason": error.reason}
        return _refuse(USAGE, problems.PROBLEMS[Code.SETTINGS_UNREADABLE], **fields)
    except SecretsUnavailableError as error:
        return _refuse(NO_KEYRING, problems.PROBLEMS[Code.KEYRING_UNUSABLE], reason=error.reason)
    except (KeyFileError, OSError) as error:
        return _refuse_file(error)


def _refuse_file(error: KeyFileError | OSError) -> int:
    match error:
        case WrongPasswordError():
            return _refuse(WRONG_PASSWORD, _WRONG_PASSWORD)
        case KeyFileError(path=path):
            return _refuse(NO_KEYRING, problems.PROBLEMS[Code.KEYS_DAMAGED], path=str(path))
    return _refuse(NO_KEYRING, _NOT_WRITTEN, path=str(error.filename), reason=str(error.strerror))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="titan key", description="Keep the key of the model's endpoint in the system's keyring."
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help="whose key; without it, that of the model in the settings"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    put = actions.add_parser("set", help="read the key from standard input and store it")
    how = put.add_mutually_exclusive_group()
    how.add_argument(
        "--environment",
        action="store_true",
        help=f"read no key: {VARIABLE} is meant for this address, too",
    )
    how.add_argument(
        "--file",
        action="store_true",
        help="in a file under a password, which is the second line; for systems without a keyring",
    )
    actions.add_parser("delete", help="take the stored key away")
    actions.add_parser("status", help="say where the key is from")
    return parser


async def _run(options: argparse.Namespace) -> int:
    base_url = options.endpoint or _endpoint_in_the_settings()
    if not settings.is_endpoint(base_url):
        return _refuse(USAGE, _BAD_ADDRESS, url=settings.shown_url(base_url))
    paths = Paths.from_environment()
    secrets, file = KeyringSecrets(settings_file=paths.settings_file), KeyFile(paths.key_file)
    match options.action:
        case "set" if options.environment:
            await _share(base_url, paths)
            return await _status(secrets, file, base_url)
        case "set":
            return await _set(secrets, file, base_url, under_password=options.file)
        case "delete":
            return await _delete(secrets, file, base_url)
    return await _status(secrets, file, base_url)


def _endpoint_in_the_settings() -> str:
    return (
        settings.load(Paths.from_environment().settings_file).model.base_url.strip()
        or settings.DEFAULT_BASE_URL
    )


async def _set(secrets: Secrets, file: KeyFile, base_url: str, *, under_password: bool) -> int:
    key, *more = _read_key()
    if not key:
        return _refuse(USAGE, _NOT_GIVEN)
    if len(key) > KEY_CHARS_MAX or not key.isascii() or not key.isprintable() or " " in key:
        return _refuse(USAGE, _NO_KEY_AT_ALL)
    try:
        if not under_password:
            await secrets.store(key, base_url)
            await _tell_the_core(key_socket.Hold(base_url, ""))
            _say(_IN_KEYRING, base_url)
            return DONE
    except SecretsUnavailableError:
        if not sys.stdin.isatty():
            raise
    return await _seal(key, file, base_url, more)


async def _seal(key: str, file: KeyFile, base_url: str, piped: list[str]) -> int:
    password, again = _read_password(piped)
    if not password or password != again:
        return _refuse(USAGE, _DIFFERENT if password else _NO_PASSWORD)
    file.store(password, key, base_url)
    await _tell_the_core(key_socket.Unlock(password))
    _say(_IN_FILE, base_url)
    return DONE


async def _share(base_url: str, paths: Paths) -> None:
    """Have the environment's key sent to this address, too."""
    chosen = settings.load(paths.settings_file, {})
    shared = tuple(dict.fromkeys((*chosen.keys.environment, settings.origin(base_url))))
    settings.save(paths.settings_file, replace(chosen, keys=settings.KeySettings(shared)))
    await _tell_the_core(key_socket.Hold(base_url, ""))


def _share_no_longer(base_url: str, paths: Paths) -> bool:
    """Take back what `_share` said. Returns whether it had been said."""
    chosen = settings.load(paths.settings_file, {})
    left = tuple(name for name in chosen.keys.environment if name != settings.origin(base_url))
    if left == chosen.keys.environment:
        return False
    settings.save(paths.settings_file, replace(chosen, keys=settings.KeySettings(left)))
    return True


async def _tell_the_core(what: key_socket.Hold | key_socket.Unlock) -> None:
    """Have a running core use what is stored now; one that starts later finds it."""
    with contextlib.suppress(OSError):
        await key_socket.give(Paths.from_environment(), what)


async def _delete(secrets: Secrets, file: KeyFile, base_url: str) -> int:
    was_elsewhere = file.delete(base_url) | _share_no_longer(base_url, Paths.from_environment())
    try:
        was_there = await secrets.delete(base_url)
    except SecretsUnavailableError:
        if not was_elsewhere:
            raise
        was_there = False
    await _tell_the_core(key_socket.Hold(base_url, ""))
    _say(_DELETED if was_there or was_elsewhere else _WAS_NOT_THERE, base_url)
    return DONE


async def _status(secrets: Secrets, file: KeyFile, base_url: str) -> int:
    try:
        key = await secrets.key(base_url)
    except SecretsUnavailableError:
        if settings.origin(base_url) not in file.origins():
            raise
        key = None
    if key is None:
        _say(_IN_FILE if settings.origin(base_url) in file.origins() else _MISSING, base_url)
    elif key.source == "environment":
        _say(_IN_ENVIRONMENT, base_url)
    else:
        _say(_IN_KEYRING, base_url)
    return DONE


def _read_key() -> list[str]:
    """Read the piped lines, or ask for one without echo."""
    try:
        if sys.stdin.isatty():
            return [getpass.getpass("Key: ").strip()]
        return sys.stdin.read(KEY_CHARS_MAX * 2).strip().split("\n") or [""]
    except (EOFError, KeyboardInterrupt, UnicodeDecodeError):
        return [""]


def _read_password(piped: list[str]) -> tuple[str, str]:
    """Return the password twice: that of the second line, or what is typed."""
    if not sys.stdin.isatty():
        password = piped[0].rstrip("\r") if piped else ""
        return password, password
    try:
        password = getpass.getpass(_PASSWORD.say(_language()))
        return password, getpass.getpass(_ONCE_MORE.say(_language())) if password else ""
    except (EOFError, KeyboardInterrupt):
        return "", ""


def _language() -> Language:
    try:
        return chosen(settings.load(Paths.from_environment().settings_file).language)
    except settings.SettingsError:
        return chosen("system")


def _say(words: Words, base_url: str) -> None:
    sentence = words.say(_language(), url=settings.shown_url(base_url), variable=VARIABLE)
    sys.stdout.write(f"{sentence}\n")


def _refuse(status: int, words: Words, **fields: str) -> int:
    """Say why not, and return the exit status."""
    sys.stderr.write(f"titan key: {words.say(_language(), **fields)}\n")
    return status
