"""A whole Titan for a test: its own home, and its own processes, counted and killed by their environment.

The core inherits `TITAN_HOME`, and what it starts has a place beneath that in its words or its environment; so
those of one test are found without a pid file.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Self

import psutil
from ulid import ULID

from titan_desktop.client.connect import connect_core
from titan_desktop.client.link import CoreLink
from titan_desktop.contracts import chat
from titan_desktop.contracts.message import BusMessage, Kinds, M, publish
from titan_desktop.contracts.message import ask as ask_core
from titan_desktop.system import processes
from titan_desktop.system.paths import Paths

PATIENCE_S = 40


async def until(condition: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Wait until a fact of the outside world (a file, a process) holds; only these are polled."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(0.02)


class Titan:
    """One installation under test. `home` is the person's, `paths` are Titan's."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.paths = Paths.from_environment()

    @property
    def desktop(self) -> Path:
        return self.home / "Desktop"

    def processes(self) -> list[psutil.Process]:
        """Every living process of this installation but the test itself."""
        found = []
        marker = os.environ["TITAN_HOME"]
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                mine = any(marker in word for word in (*process.environ().values(), *process.cmdline()))
                if mine and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def core_pid(self) -> int:
        return int(json.loads(self.paths.core_file.read_text("utf-8"))["pid"])

    def kill_core(self) -> int:
        """kill -9 of the core alone; answers with its pid."""
        pid = self.core_pid()
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.kill()
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(5)
        return pid

    def kill_everything(self) -> None:
        """kill -9 of all processes at once."""
        doomed = self.processes()
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(doomed, timeout=5)

    async def gone(self) -> None:
        """Wait until no process of this installation lives: nothing was orphaned."""
        await until(lambda: not self.processes(), f"no process is left, now {self.processes()}")

    def command(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `titan …` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "titan_desktop", *arguments],
            env={**os.environ, **processes.own_environment()}, cwd=self.home, timeout=timeout_s,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def link(self) -> AsyncIterator[CoreLink]:
        """A client of the core, brought up if need be."""
        link = await connect_core(self.paths, source="test@v0", client_id=str(ULID()), timeout_s=PATIENCE_S)
        try:
            yield link
        finally:
            await link.close()


@contextlib.contextmanager
def cleaned(home: Path) -> Iterator[Titan]:
    """A Titan whose processes are gone when the test is over, whatever it did."""
    titan = Titan(home)
    try:
        yield titan
    finally:
        titan.kill_everything()


class Listener:
    """Collects messages of some kinds, those that were said before it was attached too, and waits for others."""

    def __init__(self, link: CoreLink, *kinds: type[BusMessage]) -> None:
        self._link = link
        self._kinds = Kinds(*kinds)
        self.messages: list[BusMessage] = []
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen(), name="listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        async for event in self._link.bus.tail(self._kinds.topics, start="0"):
            if (message := self._kinds.read(event)) is not None:
                async with self._news:
                    self.messages.append(message)
                    self._news.notify_all()

    async def first(
        self,
        kind: type[M],
        wanted: Callable[[M], bool] = lambda _message: True,
        timeout_s: float = PATIENCE_S,
    ) -> M:
        """Return the first message of a kind, past or to come, that `wanted` accepts."""

        async def look() -> M:
            async with self._news:
                while True:
                    for message in self.messages:
                        if isinstance(message, kind) and wanted(message):
                            return message
                    await self._news.wait()

        return await asyncio.wait_for(look(), timeout_s)

    async def answer_to(self, question_id: str) -> chat.Message:
        """Wait for the stored answer to a question."""

        def is_it(said: chat.AssistantMessage) -> bool:
            return said.message.question_id == question_id

        return (await self.first(chat.AssistantMessage, is_it)).message


async def ask(link: CoreLink, text: str, conversation_id: str | None = None) -> chat.SendPrompt:
    """Publish a question as the window does."""
    prompt = chat.SendPrompt(
        conversation_id=conversation_id or str(ULID()), message_id=str(ULID()), text=text
    )
    await publish(link.bus, prompt)
    return prompt


async def history(link: CoreLink, conversation_id: str) -> tuple[chat.Message, ...]:
    """The messages of a conversation as they stand."""
    request = chat.GetHistory(conversation_id=conversation_id)
    return (await ask_core(link.bus, request, PATIENCE_S)).messages
