"""The core's part beside a real bus: it answers from lists that a test fills, and notes what it hears."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.titan_desktop.ui.memory_core import MemoryCore
from titan_bus import Bus, Handlers, RequestRefused
from titan_desktop.contracts import chat, files, indexing, recall, search, system
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.message import BusMessage, event_type, publish
from titan_desktop.contracts.sources import MessageSource
from titan_desktop.ui.base.bridge import Bridge

AT = "2026-03-01T10:00:00Z"


def question(number: int, conversation: str = "c1") -> chat.Message:
    return chat.Message(
        id=f"q{number}", conversation_id=conversation, role=chat.Role.USER, text=f"question {number}",
        state=chat.State.COMPLETE, created_at=AT,
    )  # fmt: skip


def answer(number: int, text: str, state: chat.State, conversation: str = "c1") -> chat.Message:
    return chat.Message(
        id=f"a{number}", conversation_id=conversation, role=chat.Role.ASSISTANT, text=text, state=state,
        created_at=AT, question_id=f"q{number}", attempt=1,
    )  # fmt: skip


def delta(number: int, offset: int, text: str, conversation: str = "c1") -> chat.AssistantDelta:
    return chat.AssistantDelta(
        conversation_id=conversation, question_id=f"q{number}", answer_id=f"a{number}", attempt=1,
        offset=offset, text=text,
    )  # fmt: skip


def listed(name: str, title: str = "", at: str = AT) -> chat.Conversation:
    return chat.Conversation(id=name, title=title or name, created_at=at, updated_at=at)


class WindowCore:
    """Serves requests on a real bus until the test ends."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.conversations: list[chat.Conversation] = []
        self.page_max = 1_000
        self.pages_asked: list[str] = []
        self.messages: list[chat.Message] = []
        self.on_other_paths: list[chat.Message] = []
        self.thoughts: dict[str, str] = {}
        self.status = system.Status(
            version="test", pid=1, ready=True, stores=(), model=system.ModelStatus(configured=True),
            embedder=system.ModelStatus(configured=False), roots=(),
        )  # fmt: skip
        self.index = indexing.IndexStatus(files=0, passages=0, failed=0, skipped=0)
        self.found: dict[str, search.SearchResult | RequestRefused] = {}
        self.said: dict[str, tuple[MessageSource, ...]] = {}
        self.hold_search = asyncio.Event()
        self.hold_search.set()
        self.located: dict[str, files.Located] = {}
        self.hold_history = asyncio.Event()
        self.hold_history.set()
        self.asked: list[type[BusMessage]] = []
        self.memory = MemoryCore(bus)
        self.heard: asyncio.Queue[chat.Command] = asyncio.Queue()

    async def serve(self) -> None:
        handlers = Handlers()
        take(
            handlers,
            "chat",
            self.list_conversations,
            self.get_history,
            self.get_message,
            self.get_thoughts,
        )
        take(
            handlers,
            "chat",
            self.send_prompt,
            self.stop_answer,
            self.retry_answer,
            self.go_on,
            self.answer_again,
            self.show_message,
            self.rename_conversation,
            self.delete_conversation,
        )
        take(handlers, "core", self.get_status, self.locate_source, self.get_index_status, self.list_failures)
        take(handlers, "search", self.search)
        take(handlers, "recall", self.query_memory)
        await self.memory.serve()
        await self.bus.include(handlers)

    async def say(self, message: BusMessage) -> None:
        await publish(self.bus, message)

    async def list_conversations(self, wanted: chat.ListConversations) -> chat.ConversationPage:
        self.asked.append(chat.ListConversations)
        return self._page(wanted)

    async def get_history(self, wanted: chat.GetHistory) -> chat.HistoryPage:
        self.asked.append(chat.GetHistory)
        await self.hold_history.wait()
        mine = [m for m in self.messages if m.conversation_id == wanted.conversation_id]
        if wanted.before:
            ids = [m.id for m in mine]
            if wanted.before not in ids:
                raise RequestRefused("not_found", wanted.before)
            mine = mine[: ids.index(wanted.before)]
        return chat.HistoryPage(
            conversation_id=wanted.conversation_id,
            messages=tuple(mine[-wanted.limit :]),
            more=len(mine) > wanted.limit,
        )

    async def get_message(self, wanted: chat.GetMessage) -> chat.Message:
        self.asked.append(chat.GetMessage)
        found = [m for m in (*self.messages, *self.on_other_paths) if m.id == wanted.message_id]
        if not found:
            raise RequestRefused("not_found", wanted.message_id)
        return found[0]

    async def get_thoughts(self, wanted: chat.GetThoughts) -> chat.Thoughts:
        self.asked.append(chat.GetThoughts)
        if wanted.message_id not in self.thoughts:
            raise RequestRefused("not_found", wanted.message_id)
        return chat.Thoughts(text=self.thoughts[wanted.message_id])

    def _page(self, request: chat.ListConversations) -> chat.ConversationPage:
        self.pages_asked.append(request.cursor)
        if request.cursor and " " not in request.cursor:
            raise RequestRefused("not_found", request.cursor)
        by_use = sorted(((c.updated_at, c.id), c) for c in self.conversations)[::-1]
        rest = [
            (key, c) for key, c in by_use if not request.cursor or key < tuple(request.cursor.split(" ", 1))
        ]
        found = rest[: min(request.limit, self.page_max)]
        return chat.ConversationPage(
            conversations=tuple(c for _, c in found),
            more=len(found) < len(rest),
            cursor=" ".join(found[-1][0]) if found else "",
        )

    async def get_status(self, _wanted: system.GetStatus) -> system.Status:
        return self.status

    async def search(self, wanted: search.Search) -> search.SearchResult:
        self.asked.append(search.Search)
        await self.hold_search.wait()
        found = self.found.get(wanted.query, search.SearchResult(hits=()))
        if isinstance(found, RequestRefused):
            raise found
        return found

    async def query_memory(self, wanted: recall.QueryMemory) -> recall.Recalled:
        return recall.Recalled(hits=self.said.get(wanted.query, ()))

    async def locate_source(self, wanted: files.LocateSource) -> files.Located:
        return self.located[wanted.path]

    async def list_failures(self, _wanted: indexing.ListFailures) -> indexing.FailurePage:
        return indexing.FailurePage(failures=self.index.failures)

    async def get_index_status(self, _wanted: indexing.GetIndexStatus) -> indexing.IndexStatus:
        return self.index

    async def send_prompt(self, command: chat.SendPrompt) -> None:
        self.heard.put_nowait(command)

    async def stop_answer(self, command: chat.StopAnswer) -> None:
        self.heard.put_nowait(command)

    async def retry_answer(self, command: chat.RetryAnswer) -> None:
        self.heard.put_nowait(command)

    async def go_on(self, command: chat.GoOn) -> None:
        self.heard.put_nowait(command)

    async def answer_again(self, command: chat.AnswerAgain) -> None:
        self.heard.put_nowait(command)

    async def show_message(self, command: chat.ShowMessage) -> None:
        self.heard.put_nowait(command)

    async def rename_conversation(self, command: chat.RenameConversation) -> None:
        self.heard.put_nowait(command)

    async def delete_conversation(self, command: chat.DeleteConversation) -> None:
        self.heard.put_nowait(command)


def heard(bridge: Bridge, kind: type[BusMessage]) -> Any:
    """The signal that a bridge emits for a kind of message."""
    return bridge._heard[kind.topic, event_type(kind)].said


async def until(condition: Callable[[], object], *signals: Any) -> None:
    """Wait until a condition holds, looking again whenever one of the signals is emitted."""
    stirred = asyncio.Event()

    def stir(*_: object) -> None:
        stirred.set()

    for signal in signals:
        signal.connect(stir)
    try:
        async with asyncio.timeout(30):
            while not condition():
                stirred.clear()
                await stirred.wait()
                await asyncio.sleep(0)  # the others who heard the signal come first
    finally:
        for signal in signals:
            signal.disconnect(stir)
