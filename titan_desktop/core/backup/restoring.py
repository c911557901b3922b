"""`titan restore FILE`: puts a backup in place of what Titan knows. Meanwhile it holds the core's lock.

Nothing changes before the whole file has been read: tables go into a database beside the present one, files into a
folder beside the others. Then they change places, and the events are written back into an empty Redis. A mark lies
in Titan's data while places are changed: killed in there, a core says what to do, and the next restore does all
of it again.
"""

import argparse
import asyncio
import getpass
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from titan_bus import Bus, BusConfig, BusError
from titan_desktop import settings
from titan_desktop.adapters.postgres import dump
from titan_desktop.adapters.postgres.database import DatabaseUnavailableError
from titan_desktop.client import backup_key, problems
from titan_desktop.client.sentences import Language, Words, chosen
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.archiving import archive_config
from titan_desktop.core.backup import file as backup_file
from titan_desktop.core.backup import mark_of
from titan_desktop.core.backup.file import Head, NoBackupError
from titan_desktop.core.backup.making import CONFIG, CONTENTS, DATA, DERIVED, TABLES, is_kept
from titan_desktop.provision.errors import ProvisionError
from titan_desktop.provision.places import Provision
from titan_desktop.system import processes
from titan_desktop.system.file_lock import FileLock
from titan_desktop.system.paths import Paths

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

DONE, NOT_RESTORED, USAGE, NOT_REACHED = 0, 1, 2, 3
LOCK_PATIENCE_S = 20.0
"""A core without clients ends by itself within this time."""
_PIECE_BYTES_MAX = 256 * 1024 * 1024

_PASSWORD = Words("Password of the backup: ", "Пароль резервной копии: ")
_WRONG_PASSWORD = Words(
    "This is not the password of {path}. Nothing was changed.",
    "Это не пароль копии {path}. Ничего не изменено.",
)
_NO_BACKUP = Words(
    "{path} is no whole backup of Titan: {reason}. Take another copy of the file. Nothing was changed.",
    "{path} — не целая резервная копия Titan: {reason}. Возьмите другую копию файла. Ничего не изменено.",
)
_UNREADABLE = Words("{path} cannot be read: {reason}.", "Файл {path} не читается: {reason}.")
_NEWER = Words(
    "{path} was made by a newer Titan ({version}). Update this one first. Nothing was changed.",
    "Копия {path} сделана более новым Titan ({version}). Сначала обновите этот. Ничего не изменено.",
)
_RUNNING = Words(
    "Titan is running. Quit it (Ctrl+Q in its window), then run this again. Nothing was changed.",
    "Titan работает. Завершите его (Ctrl+Q в окне) и повторите. Ничего не изменено.",
)
_SHARED = Words(
    "The database has tables that are not Titan's ({tables}), and a restore replaces all of it. Give Titan a "
    "database of its own. Nothing was changed.",
    "В базе данных есть чужие таблицы ({tables}), а восстановление заменяет её целиком. Выделите Titan "
    "отдельную базу. Ничего не изменено.",
)
_FAILED = Words(
    "The backup could not be restored: {reason}. Mend that and run this again. Nothing was changed.",
    "Восстановить копию не удалось: {reason}. Устраните причину и повторите. Ничего не изменено.",
)
_HALF = Words(
    "Restoring was interrupted: {reason}. Run the same command again; until then Titan does not start.",
    "Восстановление прервано: {reason}. Повторите ту же команду; до этого Titan не запустится.",
)
_CONTENTS = Words(
    "Backup of {made_at}: {conversations} conversations, {messages} messages, {files} files read.\nIt takes "
    "the place of everything that Titan knows now. Your own files are not touched.",
    "Копия от {made_at}: разговоров {conversations}, сообщений {messages}, прочитанных файлов {files}.\nОна "
    "заменит всё, что Titan знает сейчас. Сами ваши файлы не меняются.",
)
_ASK = Words("Restore it? [y/N] ", "Восстановить? [д/Н] ")
_NOT_DONE = Words("Nothing was changed.", "Ничего не изменено.")
_DONE = Words("Restored. Titan may be started.", "Восстановлено. Можно запускать Titan.")


class _RefusedError(Exception):
    def __init__(self, words: Words, **fields: object) -> None:
        super().__init__()
        self.words, self.fields = words, fields


def main(argv: Sequence[str]) -> int:
    """Restore a backup. 0 done or not wanted, 1 not restored, 2 wrong usage, 3 a store is away; it is said why."""
    parser = argparse.ArgumentParser(
        prog="titan restore", description="Put a backup in place of everything that Titan knows."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="made by `titan backup`")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    try:
        options = parser.parse_args(argv)
    except SystemExit as ended:
        return DONE if not ended.code else USAGE
    paths = Paths.from_environment()
    language = _language(paths)
    environment = processes.taken({})
    try:
        paths.create()
        return asyncio.run(
            _Restore(paths, environment, language, options.file.absolute()).run(sure=options.yes)
        )
    except _RefusedError as refused:
        said = refused.words.say(language, **{name: str(value) for name, value in refused.fields.items()})
        sys.stderr.write(f"titan restore: {said}\n")
        return NOT_RESTORED
    except ProvisionError as error:
        sys.stderr.write(f"titan restore: {problems.say(language, error.problem)}\n")
        return NOT_REACHED


class _Restore:
    def __init__(self, paths: Paths, environment: Mapping[str, str], language: Language, path: Path) -> None:
        self._paths = paths
        self._environment = environment
        self._language: Language = language
        self._path = path
        self._beside = paths.data / ".restored"

    async def run(self, *, sure: bool) -> int:
        try:
            with self._path.open("rb") as file:
                head = backup_file.read_head(file)
                identity = await self._identity(head)
                members = backup_file.members(file, identity)
                contents = await asyncio.to_thread(_contents, members)
                if not sure and not self._is_wanted(head, contents):
                    self._say(_NOT_DONE)
                    return DONE
                with FileLock(self._paths.core_lock) as lock:
                    await self._alone(lock)
                    await self._restore(head, contents, members)
        except NoBackupError as error:
            raise _RefusedError(_NO_BACKUP, path=self._path, reason=error.reason) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise _RefusedError(_UNREADABLE, path=error.filename or self._path, reason=reason) from error
        self._say(_DONE)
        return DONE

    async def _identity(self, head: Head) -> "Identity | None":
        if not head.sealed_key:
            return None
        if sys.stdin is not None and sys.stdin.isatty():
            password = await asyncio.to_thread(getpass.getpass, _PASSWORD.say(self._language))
        else:
            password = sys.stdin.readline().rstrip("\r\n") if sys.stdin else ""
        try:
            return await asyncio.to_thread(backup_key.unseal, head.sealed_key, password)
        except backup_key.WrongPasswordError as error:
            raise _RefusedError(_WRONG_PASSWORD, path=self._path) from error

    def _is_wanted(self, head: Head, contents: dump.Contents) -> bool:
        rows = contents.rows
        self._say(
            _CONTENTS, made_at=head.made_at, conversations=rows.get("conversations", 0),
            messages=rows.get("messages", 0), files=rows.get("files", 0),
        )  # fmt: skip
        sys.stdout.write(_ASK.say(self._language))
        sys.stdout.flush()
        return (sys.stdin.readline() if sys.stdin else "").strip().lower() in {"y", "yes", "д", "да"}

    async def _alone(self, lock: FileLock) -> None:
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while not lock.acquire():
            if time.monotonic() > deadline:
                raise _RefusedError(_RUNNING)
            await asyncio.sleep(0.1)

    async def _restore(self, head: Head, contents: dump.Contents, members: "_Members") -> None:
        from titan_desktop.adapters.postgres.schema import MIGRATIONS

        stores = settings.load(self._paths.settings_file, self._environment).stores
        shutil.rmtree(self._beside, ignore_errors=True)
        changing = False
        try:
            async with Provision(stores, self._paths, _ignored, self._environment) as provision:
                dsn = await provision.postgres_dsn()
                tables = await dump.load(dsn, MIGRATIONS, contents, self._pieces(contents, members))
                mark_of(self._paths).write_text(f"{self._path}\n", "utf-8")
                changing = True
                await tables.take_place()
            await asyncio.to_thread(self._change_places, stores)
            await self._write_events_back(stores)
            shutil.rmtree(self._beside, ignore_errors=True)
            mark_of(self._paths).unlink()
        except dump.NewerContentsError as error:
            raise _RefusedError(_NEWER, path=self._path, version=head.made_by) from error
        except dump.SharedDatabaseError as error:
            raise _RefusedError(_SHARED, tables=", ".join(error.tables)) from error
        except (OSError, DatabaseUnavailableError, BusError, *dump.DatabaseError) as error:
            raise _RefusedError(_HALF if changing else _FAILED, reason=str(error)) from error
        finally:
            if not changing:
                shutil.rmtree(self._beside, ignore_errors=True)

    async def _pieces(self, contents: dump.Contents, members: "_Members") -> AsyncIterator[tuple[str, bytes]]:
        """Hand the rows on, and write the files out on the way."""
        known = {table.name for table in contents.tables}
        while (member := await asyncio.to_thread(next, members, None)) is not None:
            name, content = member
            match name.parts:
                case (first, table) if first == TABLES and table in known:
                    yield table, await asyncio.to_thread(content.read, _PIECE_BYTES_MAX)
                case (first, _, *_) if first in {DATA, CONFIG}:
                    await asyncio.to_thread(backup_file.write_out, content, self._beside / name)
                case _:
                    raise NoBackupError(f"{name} belongs nowhere")

    def _change_places(self, stores: settings.StoreSettings) -> None:
        for folder, place in ((DATA, self._paths.data), (CONFIG, self._paths.config)):
            restored = self._beside / folder
            for path in sorted(restored.iterdir()) if restored.is_dir() else []:
                if folder == DATA and not is_kept(path.name):
                    continue
                target = place / path.name
                if target.is_dir() and not target.is_symlink():
                    shutil.rmtree(target)
                path.replace(target)
        for name in ("redis", *DERIVED):
            shutil.rmtree(self._paths.data / name, ignore_errors=True)
        # Where the servers are is a matter of this machine, not of the one that the backup comes from.
        restored_settings = settings.load(self._paths.settings_file, {})
        settings.save(self._paths.settings_file, replace(restored_settings, stores=stores))

    async def _write_events_back(self, stores: settings.StoreSettings) -> None:
        async with AsyncExitStack() as stack:
            provision = await stack.enter_async_context(
                Provision(stores, self._paths, _ignored, self._environment)
            )
            chosen_archive = settings.load(self._paths.settings_file, {}).archive
            config = BusConfig(
                url=await provision.redis_url(),
                source="titan-restore",
                streams=STREAMS,
                archive=replace(archive_config(self._paths, chosen_archive), every_s=86_400.0),
            )
            bus = await stack.enter_async_context(Bus(config))
            if stores.redis != "embedded":
                for stream in STREAMS:
                    await bus.remove(stream.name)
            await bus.restore()

    def _say(self, words: Words, **fields: object) -> None:
        said = words.say(self._language, **{name: str(value) for name, value in fields.items()})
        sys.stdout.write(f"{said}\n")


_Members = Iterator[tuple[PurePosixPath, backup_file.Content]]


def _contents(members: _Members) -> dump.Contents:
    name, content = next(members)
    if name != PurePosixPath(CONTENTS):
        raise NoBackupError(f"{name} comes first")
    try:
        return msgspec.json.decode(content.read(_PIECE_BYTES_MAX), type=dump.Contents)
    except msgspec.MsgspecError as error:
        raise NoBackupError(str(error)) from error


def _ignored(_store: str, _problem: object) -> None:
    """Take a server's news: who restores waits for it to answer, or is told why it does not."""


def _language(paths: Paths) -> Language:
    try:
        return chosen(settings.load(paths.settings_file).language)
    except settings.SettingsError:
        return chosen("system")
