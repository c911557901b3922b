"""Runs one parsed command: reads its input, connects to the core, turns every foreseen error into a sentence."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from titan_bus import Bus, BusError, RequestFailedError, RequestTimedOutError, ServerRefusedError, new_ulid
from titan_desktop import __version__, settings
from titan_desktop.client import connect, core_record, sizes, spawn
from titan_desktop.client.link import CoreLink
from titan_desktop.commands import (
    ask,
    backup,
    doctor,
    exit_codes,
    explaining,
    files,
    importing,
    index,
    indexing,
    memory,
    output,
    rebuilding,
    recalling,
    search,
    security,
    sentences,
    undo,
    unlock,
)
from titan_desktop.contracts import chat, message, system
from titan_desktop.contracts.indexing import GetIndexStatus, Reason
from titan_desktop.contracts.problem import REFUSED_FOLDERS
from titan_desktop.system import file_lock
from titan_desktop.system.paths import Paths

FIRST_SCAN_S = 60.0
"""How long a first question waits for the first scan; with an existing index the wait is shorter."""
START_SCAN_S = 15.0
READY_S = 30.0
"""How long the stores may take to open."""
RETRY_S = 3.0
"""How much longer to wait after a store has failed, because the core tries again."""
WATCH_S = 1.0
RESTARTS_MAX = 3

_STARTING = message.Kinds(system.CoreReady, system.StoreChanged)

Work = Callable[[Bus], Awaitable[int]]


class CommandError(Exception):
    """The command cannot be run: a sentence for the person, and the exit status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def run(options: argparse.Namespace) -> int:
    """Run a command and return its exit status."""
    paths = Paths.from_environment()
    try:
        says = sentences.table(settings.load(paths.settings_file).language)
        if options.command == "doctor" and not options.security:
            return asyncio.run(_doctor(paths, says, json=options.json))
        return asyncio.run(_linked(paths, says, _work(options, says, paths)))
    except settings.SettingsError as error:
        says = sentences.table("system")
        sentence = says["settings"].format(path=error.path, reason=error.reason)
        if options.command == "doctor" and not options.security:
            return doctor.show(doctor.report(paths, says, None, sentence), says, json=options.json)
        output.complain(sentence)
        return exit_codes.NOT_REACHED
    except CommandError as error:
        output.complain(error.sentence)
        return error.status


def _work(options: argparse.Namespace, says: sentences.Table, paths: Paths) -> Work:
    """Read and check what the command needs before a core is started for it."""
    fresh = not file_lock.is_held(paths.core_lock)
    match options.command:
        case "ask":
            question = _text(options.question, says, "no_question")

            async def answer(bus: Bus) -> int:
                await unlock.run(bus, paths, says)
                return await ask.run(bus, options, question, says)

            return lambda bus: _after_scan(bus, says, lambda: answer(bus), fresh=fresh)
        case "search" if options.queries:
            queries = _queries(options, says, options.query)
            return lambda bus: _after_scan(
                bus, says, lambda: search.run_many(bus, options, queries, says), fresh=fresh
            )
        case "search":
            query = _text(options.query, says, "no_query")
            return lambda bus: _after_scan(
                bus, says, lambda: search.run(bus, options, query, says), fresh=fresh
            )
        case "backup":
            password = backup.password(options, says)
            if password is None:
                raise CommandError(says["backup.no_password"], exit_codes.USAGE)
            file = os.path.abspath(options.file)  # noqa: PTH100  # where it may be
            return lambda bus: backup.run(bus, options, file, password, says)
        case "index":
            asked = _paths(options, says)
            return lambda bus: _index(bus, options, asked, says)
    return _without_files_read(options, says, paths)


def _without_files_read(options: argparse.Namespace, says: sentences.Table, paths: Paths) -> Work:
    """Return what needs the services, and no index."""
    if options.command in {"memory", "import"}:
        remembered = (_memory if options.command == "memory" else _import)(options, says)
        return lambda bus: _when_ready(bus, says, remembered)

    async def work(bus: Bus) -> int:
        await _until_ready(bus, says)
        match options.command:
            case "files":
                return await files.run(bus, options, paths, says)
            case "undo":
                return await undo.run(bus, options, says)
            case "explain":
                return await explaining.run(bus, options, says)
            case "doctor":
                return await security.run(bus, says, json=options.json)
        raise AssertionError(options.command)

    if options.command == "files":
        try:
            files.absolute(options)
        except UnicodeEncodeError as error:
            raise CommandError(_unreadable(str(error.object), says), exit_codes.PATH_REFUSED) from error
    return work


def _memory(options: argparse.Namespace, says: sentences.Table) -> Work:
    if options.act == "query" and options.queries:
        queries = _queries(options, says, options.words)
        return lambda bus: recalling.run_many(bus, options, queries, says)
    if options.act == "query":
        query = _text(options.words, says, "no_query")
        return lambda bus: recalling.run(bus, options, query, says)
    if options.act == "rebuild":
        return lambda bus: rebuilding.run(bus, options, says)
    text = " ".join(getattr(options, "words", ()))
    if options.act in {"remember", "correct"}:
        text = _text(options.words, says, "memory.no_text")
    return lambda bus: memory.run(bus, options, text, says)


def _import(options: argparse.Namespace, says: sentences.Table) -> Work:
    try:
        file = importing.opened(options.file)
    except OSError as error:
        sentence = says["cannot_read"].format(path=options.file, reason=error.strerror)
        raise CommandError(sentence, exit_codes.USAGE) from error
    return lambda bus: importing.run(bus, options, file, says)


async def _when_ready(bus: Bus, says: sentences.Table, work: Work) -> int:
    await _until_ready(bus, says)
    return await work(bus)


def _text(words: list[str], says: sentences.Table, when_empty: str) -> str:
    text = " ".join(words)
    piped = sys.stdin is not None and not sys.stdin.isatty()
    if words == ["-"] or (not words and piped):
        text = sys.stdin.buffer.read().decode("utf-8-sig", errors="replace")
    text = (
        text.encode(errors="replace").decode().strip()
    )  # a terminal's stray bytes arrive as lone surrogates
    if not text:
        raise CommandError(says[when_empty], exit_codes.USAGE)
    if (size := len(text.encode())) > chat.PROMPT_BYTES_MAX:
        said, limit = sizes.beside(sentences.language_of(says), size, chat.PROMPT_BYTES_MAX)
        sentence = says["too_long"].format(size=said, limit=limit)
        raise CommandError(sentence, exit_codes.USAGE)
    return text


def _queries(options: argparse.Namespace, says: sentences.Table, query: list[str]) -> list[str]:
    if not options.json or query:
        raise CommandError(says["queries_json"], exit_codes.USAGE)
    try:
        return search.read_queries(options.queries)
    except OSError as error:
        sentence = says["cannot_read"].format(path=options.queries, reason=error.strerror)
        raise CommandError(sentence, exit_codes.USAGE) from error


def _paths(options: argparse.Namespace, says: sentences.Table) -> list[str]:
    paths = index.absolute(options.paths)
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise CommandError(_unreadable(path, says), exit_codes.PATH_REFUSED) from error
    return paths


def _unreadable(path: str, says: sentences.Table) -> str:
    reason = sentences.for_reason(says, Reason.UNREADABLE)
    return says["refused"].format(path=path, reason=reason, cure=says["cure.other"])


async def _linked(paths: Paths, says: sentences.Table, work: Work) -> int:
    """Do `work` with the running core, or with one started for it."""
    try:
        async with await _connect(paths) as link:
            if names := core_record.unheard(link.record, os.environ):
                output.complain(says["unheard"].format(names=", ".join(names)))
            keeping = asyncio.create_task(_keep_core(paths), name="keep the core")
            try:
                return await work(link.bus)
            finally:
                keeping.cancel()
    except RequestTimedOutError:
        output.complain(says["no_answer"])
    except RequestFailedError as error:
        output.complain(says["refused_request"].format(reason=output.line(error.message or error.code)))
    except connect.CoreUnavailableError as error:
        output.complain(f"titan: {output.line(error.sentence)}")
    except ServerRefusedError as error:
        # Redis and Valkey refuse writes under this code when their log of them cannot be written.
        full = error.code == "MISCONF"
        sentence = says["disk_full"] if full else says["refused_request"]
        output.complain(sentence.format(folder=paths.data, reason=output.line(str(error))))
    except BusError as error:
        output.complain(says["no_core"].format(reason=output.line(str(error)), log=paths.logs))
    return exit_codes.NOT_REACHED


async def _connect(paths: Paths) -> CoreLink:
    return await connect.connect_core(paths, source=f"titan-command@v{__version__}", client_id=new_ulid())


async def _keep_core(paths: Paths) -> None:
    """Restart the core when it dies; the bus and its tails reconnect by themselves."""
    restarts = 0
    while restarts < RESTARTS_MAX:
        await asyncio.sleep(WATCH_S)
        if not file_lock.is_held(paths.core_lock):
            spawn.spawn_core(paths)
            restarts += 1


async def _until_ready(bus: Bus, says: sentences.Table) -> None:
    """Wait until the services run.

    Raises:
        CommandError: a store does not open; says why.
    """
    tail = bus.tail(_STARTING.topics)
    try:
        await tail.start()  # before the request: otherwise `core_ready` could be published in between
        status = await _status(bus)
        if status.ready and not _failed_stores(status):
            return
        has_failed = any(not store.ok and not store.opening for store in status.stores)
        async with asyncio.timeout(RETRY_S if has_failed else READY_S) as patience:
            async for event in tail:
                match _STARTING.read(event):
                    case system.CoreReady():
                        return
                    case system.StoreChanged(store=store) if not store.ok:
                        patience.reschedule(asyncio.get_running_loop().time() + RETRY_S)
                    case system.StoreChanged() if status.ready and not _failed_stores(await _status(bus)):
                        return
    except TimeoutError as error:
        status = await _status(bus)
        if status.ready and not _failed_stores(status):
            return
        problems = [store.problem for store in status.stores if not store.ok]
        said = " ".join(sentences.for_problem(says, problem) for problem in problems)
        sentence = f"titan: {output.line(said)}"
        raise CommandError(sentence, exit_codes.NOT_REACHED) from error
    finally:
        await tail.close()


def _failed_stores(status: system.Status) -> list[system.StoreStatus]:
    """Return the stores without which nothing is answered; the graph is none of them yet."""
    return [store for store in status.stores if not store.ok and store.name != "graph"]


async def _status(bus: Bus) -> system.Status:
    return await message.ask(bus, system.GetStatus(), timeout_s=10.0)


async def _doctor(paths: Paths, says: sentences.Table, *, json: bool) -> int:
    """Report with what the core says, or with why it says nothing."""
    answers, unreached = None, ""
    try:
        async with await _connect(paths) as link:
            answers = await doctor.ask(link.bus)
    except connect.CoreUnavailableError as error:
        unreached = error.sentence
    except BusError as error:
        unreached = says["no_core"].format(reason=output.line(str(error)), log=paths.logs)
    return doctor.show(doctor.report(paths, says, answers, unreached), says, json=json)


async def _index(bus: Bus, options: argparse.Namespace, paths: list[str], says: sentences.Table) -> int:
    """Index, listening from before a core that was started for this has begun to read on its own."""
    async with indexing.listening(bus) as tail:
        await _until_ready(bus, says)
        status = await _status(bus)
        if not paths and not any(root.exists for root in status.roots):
            raise CommandError(_nothing_to_read(status, says), exit_codes.NOTHING)
        return await index.run(bus, tail, options, paths, says, _refused_folders(status, says))


def _refused_folders(status: system.Status, says: sentences.Table) -> dict[str, str]:
    """Return why folders are not read that are there."""
    refused = [problem for problem in status.problems if problem.code in REFUSED_FOLDERS]
    return {problem.fields["path"]: sentences.for_refused_folder(says, problem) for problem in refused}


def _nothing_to_read(status: system.Status, says: sentences.Table) -> str:
    """Say what keeps all folders from being read."""
    if refused := _refused_folders(status, says):
        return "titan: " + " ".join(refused.values())
    return says["no_folder"].format(folders=", ".join(root.path for root in status.roots))


async def _after_scan(
    bus: Bus, says: sentences.Table, work: Callable[[], Awaitable[int]], *, fresh: bool
) -> int:
    """Do `work` once the files are read, as far as that is a matter of seconds.

    A core that was running has followed every change. One that was started for this command (`fresh`) has not
    looked yet, and a first one knows nothing: it would answer "nothing found" with the document before it.
    """
    await _until_ready(bus, says)
    known = await _knows_files(bus)
    if fresh or not known:
        progress = output.Progress(says["first_scan"], sentences.language_of(says))
        try:
            async with (
                asyncio.timeout(START_SCAN_S if known else FIRST_SCAN_S),
                indexing.listening(bus) as tail,
            ):
                await indexing.run(bus, tail, indexing.Job(()), progress.update)
        except (TimeoutError, indexing.StalledError):
            progress.clear()
            output.complain(says["first_scan_late"])
        finally:
            progress.clear()
    return await work()


async def _knows_files(bus: Bus) -> bool:
    status = await message.ask(bus, GetIndexStatus(failures_limit=0), search.SEARCH_TIMEOUT_S)
    return status.files + status.failed + status.skipped > 0
