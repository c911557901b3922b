"""Small services on a real bus that answer as the core does, for tests of its clients.

Each is a context manager. They hold no rule of the core; they say what a test tells them to.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import msgspec

from titan_bus import Bus, Event, RequestRefused
from titan_desktop.contracts import chat, files, memory, system, topics
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

    async def on_command(event: Event) -> None:
        if event.event_type == "stop_answer":
            stops.put_nowait(event.payload_as(chat.StopAnswer))
        if event.event_type != "send_prompt":
            return
        command = event.payload_as(chat.SendPrompt)
        asked["A" + command.message_id[1:]] = command
        async for said in answer(command):
            await publish(bus, said)

    async def on_request(event: Event) -> chat.Message:
        command = asked[event.payload_as(chat.GetMessage).message_id]
        return an_answer(command, (stored or {})[command.text])

    async with _subscribed(bus, {topics.CHAT: on_command, topics.CHAT_REQUESTS: on_request}, "chat"):
        yield stops


@contextlib.asynccontextmanager
async def memory_service(
    bus: Bus,
    find: Callable[[memory.Search], Awaitable[memory.SearchResult]],
    status: memory.IndexStatus | None = None,
) -> AsyncIterator[None]:
    """Answer searches with `find`, and the index's status."""

    async def on_request(event: Event) -> msgspec.Struct:
        if event.event_type == "search":
            return await find(event.payload_as(memory.Search))
        if event.event_type == "index_status":
            return status or memory.IndexStatus(files=1, passages=1, failed=0, skipped=0)
        raise RequestRefused("unknown", event.event_type)

    async with _subscribed(bus, {topics.MEMORY_REQUESTS: on_request}, "memory"):
        yield


@contextlib.asynccontextmanager
async def files_service(
    bus: Bus, scan: Callable[[files.IndexPaths], AsyncIterator[BusMessage]]
) -> AsyncIterator[list[files.IndexPaths]]:
    """Publish what `scan` yields for a command; yields the commands that came."""
    commands: list[files.IndexPaths] = []

    async def on_command(event: Event) -> None:
        if event.event_type != "index_paths":
            return
        command = event.payload_as(files.IndexPaths)
        commands.append(command)
        async for said in scan(command):
            await publish(bus, said)

    async with _subscribed(bus, {topics.FS: on_command}, "files"):
        yield commands


@contextlib.asynccontextmanager
async def system_service(
    bus: Bus, *answers: system.Status, on_asked: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Answer the n-th GetStatus with the n-th of `answers`, and from then on with the last."""
    left = list(answers)

    async def on_request(event: Event) -> system.Status:
        if on_asked is not None:
            await on_asked()
        return left.pop(0) if len(left) > 1 else left[0]

    async with _subscribed(bus, {topics.SYSTEM_REQUESTS: on_request}, "system"):
        yield


@contextlib.asynccontextmanager
async def _subscribed(
    bus: Bus, handlers: Mapping[str, Callable[[Event], Awaitable[object]]], group: str
) -> AsyncIterator[None]:
    subscriptions = [await bus.subscribe(topic, group, handler) for topic, handler in handlers.items()]
    try:
        yield
    finally:
        await asyncio.gather(*(subscription.stop() for subscription in subscriptions))
