"""The core process, one for each user and `TITAN_HOME`, from its lock to its shutdown.

The order matters. The server host is started first, because the servers need time; the bus library is imported
while they start; clients are answered as soon as the transport is up; everything else follows.
"""

import argparse
import asyncio
import contextlib
import faulthandler
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from titan_desktop import __version__, settings
from titan_desktop.client import core_record
from titan_desktop.core.backup import mark_of
from titan_desktop.provision.errors import ProvisionError, ServerHostLostError
from titan_desktop.provision.places import Provision
from titan_desktop.system import logs, own_output, processes
from titan_desktop.system.file_lock import FileLock
from titan_desktop.system.folder_identity import FolderIdentity
from titan_desktop.system.paths import Paths

log = logging.getLogger(__name__)

LOCK_PATIENCE_S = 3.0
"""A client that checks for the core holds the lock for an instant, a core that is shutting down for longer."""
SHUTDOWN_S = 30.0
"""Each part of the shutdown has its own time limit; this one is for a part that exceeds it. The kernel then closes
the pipe to the server host, and the servers stop all the same."""

LOST_SHUTDOWN_S = 5.0
"""The same where Titan's own folder is lost: there is nothing left to save."""

_HALF_RESTORED = (
    "A restore was interrupted. Finish it: titan restore {file} / "
    "Восстановление было прервано. Завершите его: titan restore {file}"
)
ENDED, CANNOT_START, SERVER_HOST_LOST, FOLDER_LOST = 0, 1, 3, 4


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the core ends, and its exit code."""

    reason: str
    code: int = ENDED


def main(argv: Sequence[str]) -> int:
    """Run the core and return its exit code.

    0 ended or another core runs, 1 cannot start, 3 the server host is lost, 4 Titan's folder is.
    """
    parser = argparse.ArgumentParser(prog="titan core", description="Titan's services and stores.")
    parser.add_argument("--stay", action="store_true", help="go on when no client is there")
    parser.add_argument(
        processes.SECRETS_ON_STDIN, action="store_true", help="standard input has keys and passwords, as JSON"
    )
    options = parser.parse_args(argv)
    os.umask(0o077)  # files written by libraries are private, too
    environment = processes.taken(json.load(sys.stdin) if options.secrets_on_stdin else {})
    paths = Paths.from_environment()
    try:
        paths.create()
        logs.start(paths.logs / "core.log", logging.INFO)
        with FileLock(paths.core_lock) as lock:
            if not _take(lock):
                log.info("another core serves")
                return ENDED
            chosen = settings.load(paths.settings_file, environment)
            if (mark := mark_of(paths)).exists():
                return _cannot_start(_HALF_RESTORED.format(file=mark.read_text("utf-8").strip()))
            # Before there is a child, or a library that prints.
            own_output.bound(paths.logs / "core-output.log")
            faulthandler.enable()
            return asyncio.run(Core(paths, chosen, environment, stay=options.stay).run())
    except settings.SettingsError as error:
        return _cannot_start(str(error), told=_about_settings(error))
    except OSError as error:
        place = error.filename or paths.data
        return _cannot_start(
            f"Titan cannot use {place}: {error.strerror}. Make room there or give it to your user, "
            "or set TITAN_HOME to another folder."
        )


class Core:
    """One core.

    Args:
        paths: of this installation.
        chosen: the settings at the start.
        environment: with the secrets, which are nowhere else.
        stay: go on without clients, until a signal.
    """

    def __init__(
        self, paths: Paths, chosen: settings.Settings, environment: Mapping[str, str], *, stay: bool
    ) -> None:
        self._paths = paths
        self._settings = chosen
        self._environment = environment
        self._stay = stay

    async def run(self) -> int:
        """Run until something ends the core, then stop everything in order."""
        ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        _end_on_signals(ending)
        _end_without_folders(ending, self._paths)
        log.info("core %s begins, process %s", __version__, os.getpid())
        serving = asyncio.create_task(self._serve(ending), name="core")
        either: list[asyncio.Future[Any]] = [serving, ending]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            log.info("ending: %s", ending.result().reason)
            _end_by_force_after(SHUTDOWN_S, ending.result().code)
            serving.cancel()
            await asyncio.wait([serving])
        if not serving.cancelled() and (error := serving.exception()) is not None:
            return _cannot_start(_sentence(error))
        log.info("ended")
        return ending.result().code

    async def _serve(self, ending: asyncio.Future[Ending]) -> None:
        """Open everything from the stores up and run until cancelled; closes in reverse."""
        from titan_desktop.core.health import Health

        health = Health(self._settings.stores)
        async with AsyncExitStack() as stack:
            provision = await stack.enter_async_context(
                Provision(self._settings.stores, self._paths, health.server_changed, self._environment)
            )
            # The servers start meanwhile, in processes of their own.
            from titan_bus import Bus, BusConfig
            from titan_desktop.adapters.key_file.store import KeyFile
            from titan_desktop.adapters.keyring.secrets import KeyringSecrets
            from titan_desktop.contracts.streams import STREAMS
            from titan_desktop.core import key_socket
            from titan_desktop.core.archiving import archive_config
            from titan_desktop.core.chain import Chain
            from titan_desktop.core.composition import Composition
            from titan_desktop.core.held_keys import HeldKeys
            from titan_desktop.core.model_choice import Models
            from titan_desktop.core.presence import SAID, Presence, listen, until_alone
            from titan_desktop.core.serving import serving
            from titan_desktop.services.dead_letters import DeadLetterService
            from titan_desktop.services.status import StatusService

            url = await provision.redis_url()
            config = BusConfig(
                url=url,
                source=f"titan-core@v{__version__}",
                # The same after a restart, so that it claims at once what a killed core had in flight; and
                # different for each home, or two homes on one external server would claim each other's events.
                consumer=f"titan-core@{socket.gethostname()}/{self._paths.identity}",
                streams=STREAMS,
                archive=archive_config(self._paths, self._settings.archive),
            )
            bus = await stack.enter_async_context(Bus(config))
            chain = Chain()
            keyring = KeyringSecrets(self._environment, settings_file=self._paths.settings_file)
            keys = HeldKeys(keyring, KeyFile(self._paths.key_file))
            models = Models(self._paths.settings_file, self._settings, keys)
            composition = Composition(bus, chain, provision, health, models, url, self._paths)
            await stack.enter_async_context(key_socket.listening(self._paths, keys, models, bus))
            await stack.enter_async_context(serving(bus, chain, StatusService(composition.status)))
            await stack.enter_async_context(serving(bus, chain, DeadLetterService(bus)))
            presence_tail = bus.tail(SAID.topics)
            await presence_tail.start()  # before any client can connect, so that no heartbeat is missed
            marks = core_record.marks(self._environment)
            record = core_record.CoreRecord(os.getpid(), __version__, url, marks)
            core_record.write(self._paths.core_file, record)
            stack.callback(core_record.remove, self._paths.core_file, record)
            log.info("the bus is up after %.2f s", time.monotonic() - _PROCESS_STARTED_S)
            await stack.enter_async_context(composition)
            # At the end it goes first: who reads it meanwhile would ask services that are being stopped.
            stack.callback(core_record.remove, self._paths.core_file, record)
            if provision.lost is not None:
                provision.lost.add_done_callback(lambda host: _end_on_loss(ending, host))
            presence = Presence(composition.is_busy)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(listen(presence_tail, presence), name="presence")
                if not self._stay:
                    await until_alone(presence)
                    _end(ending, Ending("no client is there"))


_PROCESS_STARTED_S = time.monotonic()


def _take(lock: FileLock) -> bool:
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while not lock.acquire():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _end(ending: asyncio.Future[Ending], why: Ending) -> None:
    if not ending.done():
        ending.set_result(why)


def _end_on_loss(ending: asyncio.Future[Ending], host: "asyncio.Task[None]") -> None:
    if not host.cancelled() and isinstance(host.exception(), ServerHostLostError):
        _end(ending, Ending(str(host.exception()), SERVER_HOST_LOST))


def _end_on_signals(ending: asyncio.Future[Ending]) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
            signal.signal(
                number, lambda got, _frame: loop.call_soon_threadsafe(_end, ending, Ending(f"signal {got}"))
            )
    else:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, _end, ending, Ending(f"signal {number.name}"))


def _end_without_folders(ending: asyncio.Future[Ending], paths: Paths) -> None:
    """End when the folders of data or lock are gone, or are others: a new core may serve there by now."""
    loop = asyncio.get_running_loop()

    def lose(folder: Path) -> None:
        _end_by_force_after(LOST_SHUTDOWN_S, FOLDER_LOST)  # the loop may hang
        why = Ending(f"{folder} is not the folder any more that it was", FOLDER_LOST)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_end, ending, why)

    FolderIdentity((paths.data, paths.run)).watch(lose)


def _end_by_force_after(seconds: float, code: int) -> None:
    def end() -> None:
        log.error("the shutdown took longer than %s s; ending by force", seconds)
        os._exit(code or 1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _sentence(error: BaseException) -> str:
    """Return why the core cannot run."""
    from titan_bus import BusUnavailableError
    from titan_desktop.client import problems

    if isinstance(error, ProvisionError):
        return problems.say("en", error.problem)
    if isinstance(error, BusUnavailableError):
        return f"Redis does not answer ({error}). See that the server runs and that its password is right."
    log.error("the core failed", exc_info=error)
    return f"The core failed: {type(error).__name__}: {error}"


def _about_settings(error: settings.SettingsError) -> str:
    """Return the sentence in the locale's language: the person's own choice is what cannot be read."""
    from titan_desktop.client import problems, sentences
    from titan_desktop.contracts.problem import Code, Problem

    fields = {"path": str(error.path), "reason": error.reason}
    return problems.say(sentences.chosen("system"), Problem(Code.SETTINGS_UNREADABLE, fields))


def _cannot_start(sentence: str, told: str = "") -> int:
    """Report it where the client that started the core reads it, and in the log."""
    log.error("%s", sentence)
    own_output.tell_starter(f"titan core: {told or sentence}")
    return CANNOT_START
