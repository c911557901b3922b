"""Small services on a real bus that answer as the core does, for tests of its clients.

Each is a context manager. They hold no rule of the core; they say what a test tells them to.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from titan_bus import Bus, Handlers
from titan_bus.declaring.signatures import AnyHandler
from titan_desktop.contracts import chat, files, indexing, search, system
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.message import BusMessage, publish
from titan_desktop.contracts.sources import FilePassage, Pages

Answerer = Callable[[chat.SendPrompt], AsyncIterator[BusMessage]]


def a_hit(
    path: str = "/home/anna/Desktop/rent.pdf", score: float = 1.0, passage: str = "The deposit is 900."
) -> FilePassage:
    return FilePassage(
        path=path,
        title=path.rpartition("/")[2],
        score=score,
        passage=passage,
        kind=path.rpartition(".")[2],
        place=Pages(first=3, last=3),
    )


def a_status(**changes: object) -> system.Status:
    fields: dict[str, object] = {
        "version": "0.1.0",
        "pid": 42,
        "ready": True,
        "stores": (
            system.StoreStatus(
                name="postgres", place="embedded", ok=True, product="PostgreSQL", version="18.4"
            ),
        ),
        "model": system.ModelStatus(configured=True, name="m", base_url="http://x/v1", key="environment"),
        "embedder": system.ModelStatus(configured=False),
        "roots": (system.RootStatus(path="/home/anna/Desktop", exists=True, watched=True),),
    }
    return system.Status(**{**fields, **changes})


def an_answer(command: chat.SendPrompt, text: str = "", **changes: object) -> chat.Message:
    fields: dict[str, object] = {
        "id": "A" + command.message_id[1:],
        "conversation_id": command.conversation_id,
        "role": chat.Role.ASSISTANT,
        "text": text,
        "state": chat.State.COMPLETE,
        "created_at": "2026-01-01T00:00:00Z",
        "question_id": command.message_id,
        "attempt": 1,
        "model": "m",
    }
    return chat.Message(**{**fields, **changes})


def a_delta(command: chat.SendPrompt, offset: int, text: str, attempt: int = 1) -> chat.AssistantDelta:
    return chat.AssistantDelta(
        conversation_id=command.conversation_id,
        question_id=command.message_id,
        answer_id="A" + command.message_id[1:],
        attempt=attempt,
        offset=offset,
        text=text,
    )


@contextlib.asynccontextmanager
async def chat_service(
    bus: Bus, answer: Answerer, stored: Mapping[str, str] | None = None
) -> AsyncIterator["asyncio.Queue[chat.StopAnswer]"]:
    """Publish what `answer` yields for a question; yields a queue of the stops that are asked for.

    `stored` maps a question's text to the answer that the request `message` returns.
    """
    stops: asyncio.Queue[chat.StopAnswer] = asyncio.Queue()
    asked: dict[str, chat.SendPrompt] = {}

    async def on_stop(command: chat.StopAnswer) -> None:
        stops.put_nowait(command)

    async def on_prompt(command: chat.SendPrompt) -> None:
        asked["A" + command.message_id[1:]] = command
        async for said in answer(command):
            await publish(bus, said)

    async def on_request(wanted: chat.GetMessage) -> chat.Message:
        command = asked[wanted.message_id]
        return an_answer(command, (stored or {})[command.text])

    async with taking(bus, "chat", on_stop, on_prompt, on_request):
        yield stops


@contextlib.asynccontextmanager
async def memory_service(
    bus: Bus,
    find: Callable[[search.Search], Awaitable[search.SearchResult]],
    status: indexing.IndexStatus | None = None,
) -> AsyncIterator[None]:
    """Answer searches with `find`, and the index's status."""

    async def on_status(_wanted: indexing.GetIndexStatus) -> indexing.IndexStatus:
        return status or indexing.IndexStatus(files=1, passages=1, failed=0, skipped=0)

    async def on_search(wanted: search.Search) -> search.SearchResult:
        return await find(wanted)

    async with taking(bus, "memory", on_status, on_search):
        yield


@contextlib.asynccontextmanager
async def files_service(
    bus: Bus, scan: Callable[[files.IndexPaths], AsyncIterator[BusMessage]]
) -> AsyncIterator[list[files.IndexPaths]]:
    """Publish what `scan` yields for a command; yields the commands that came."""
    commands: list[files.IndexPaths] = []

    async def on_command(command: files.IndexPaths) -> None:
        commands.append(command)
        async for said in scan(command):
            await publish(bus, said)

    async with taking(bus, "files", on_command):
        yield commands


@contextlib.asynccontextmanager
async def system_service(
    bus: Bus, *answers: system.Status, on_asked: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Answer the n-th GetStatus with the n-th of `answers`, and from then on with the last."""
    left = list(answers)

    async def on_request(_wanted: system.GetStatus) -> system.Status:
        if on_asked is not None:
            await on_asked()
        return left.pop(0) if len(left) > 1 else left[0]

    async with taking(bus, "status", on_request):
        yield


@contextlib.asynccontextmanager
async def taking(bus: Bus, group: str, *functions: AnyHandler) -> AsyncIterator[None]:
    """Have functions handle the messages that they are annotated with, as a service's handlers do."""
    handlers = Handlers()
    take(handlers, group, *functions)
    subscriptions = await bus.include(handlers)
    try:
        yield
    finally:
        await asyncio.gather(*(subscription.stop() for subscription in subscriptions))
