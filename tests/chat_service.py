"""The chat service as its tests see it: a window on the bus, a memory that answers, cores over one store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from ulid import ULID

from tests.openai_server import OpenAIServer
from titan_bus import Bus, BusConfig, Event, names
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.adapters.redis.recent_cache import RedisRecentCache
from titan_desktop.contracts import chat, topics
from titan_desktop.contracts.message import BusMessage, Kinds, ask, publish
from titan_desktop.contracts.search import Search, SearchResult
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.model import Endpoint
from titan_desktop.services.chat import ChatService

DEPOSIT = FilePassage(
    path="/home/p/Downloads/rental.pdf",
    title="rental.pdf",
    score=2.0,
    passage="The deposit is 1,500 euros." + " More of the lease." * 60,
    kind="pdf",
)


class Window:
    """What a window does: publishes commands, tails events, asks."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.events: list[Event] = []
        self._changed = asyncio.Condition()

    async def watch(self) -> None:
        async for event in self.bus.tail([topics.CHAT_COMMANDS, topics.CHAT, topics.CHAT_STREAM], start="0"):
            async with self._changed:
                self.events.append(event)
                self._changed.notify_all()

    async def until(self, found: Callable[[], Any]) -> Any:
        async with asyncio.timeout(30), self._changed:  # the first answer imports `openai`
            await self._changed.wait_for(found)
        return found()

    def said(self, kind: type[BusMessage], **fields: Any) -> list[Any]:
        """All events of a kind whose message has these fields."""
        kinds = Kinds(kind)
        decoded = [message for event in self.events if (message := kinds.read(event)) is not None]
        return [
            item
            for item in decoded
            if all(getattr(getattr(item, "message", item), name) == value for name, value in fields.items())
        ]

    async def publish(self, command: Any) -> str:
        return await publish(self.bus, command)

    async def ask(self, text: str = "What is the deposit?", conversation: str = "c") -> str:
        question_id = str(ULID())
        await self.publish(chat.SendPrompt(conversation_id=conversation, message_id=question_id, text=text))
        return question_id

    async def answer(self, question_id: str, count: int = 1, **fields: Any) -> chat.Message:
        """Wait for the ended answer, the `count`-th one that was said."""
        found = lambda: self.said(chat.AssistantMessage, question_id=question_id, **fields)  # noqa: E731
        await self.until(lambda: len(found()) >= count)
        return found()[count - 1].message

    async def handled(self) -> None:
        """Wait until every command published so far has been dealt with (groups take them in order)."""
        for _ in range(500):
            pending = await self.bus._connection.call(
                "XPENDING", names.stream_of(topics.CHAT_COMMANDS), "chat"
            )
            groups = await self.bus._connection.call("XINFO", "GROUPS", names.stream_of(topics.CHAT_COMMANDS))
            lag = {bytes(key): value for key, value in zip(groups[0][::2], groups[0][1::2], strict=True)}[
                b"lag"
            ]
            if pending[0] == 0 and not lag:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("commands are still pending")

    async def history(self, conversation: str = "c", **more: Any) -> chat.HistoryPage:
        return await ask(self.bus, chat.GetHistory(conversation_id=conversation, **more))

    async def message(self, message_id: str) -> chat.Message:
        return await ask(self.bus, chat.GetMessage(message_id=message_id))

    async def conversations(self) -> tuple[chat.Conversation, ...]:
        return (await ask(self.bus, chat.ListConversations())).conversations


async def handle(service: ChatService, event: Event) -> None:
    """Give a service an event as the bus does, one that comes again for example."""
    [declared] = [one for one in service.handlers if one.topic == event.topic]
    await declared.routes[event.event_type].call(event)


class Memory:
    """Answers searches with `hits`, or with those `elsewhere` for a query."""

    def __init__(self) -> None:
        self.hits: tuple[FilePassage, ...] = (DEPOSIT,)
        self.elsewhere: dict[str, tuple[FilePassage, ...]] = {}
        self.nearest_only = False
        self.searches: list[Search] = []

    async def search(self, wanted: Search) -> SearchResult:
        self.searches.append(wanted)
        hits = self.elsewhere.get(wanted.query, self.hits)
        return SearchResult(hits=hits, nearest_only=self.nearest_only)


class Cores:
    """Starts core after core over the same stores."""

    def __init__(self, redis_url: str, database: Database, server: OpenAIServer) -> None:
        self._redis_url = redis_url
        self.database = database
        self._server = server

    @contextlib.asynccontextmanager
    async def run(self, *, with_model: bool = True) -> AsyncIterator[ChatService]:
        config = BusConfig(url=self._redis_url, source="titan-core@v0", streams=STREAMS)
        cache = RedisRecentCache(self._redis_url)
        model = OpenAIChatModel(first_token_timeout_s=3, idle_timeout_s=3)
        try:
            async with (
                Bus(config) as bus,
                serving(
                    bus,
                    Chain(),
                    ChatService(
                        bus, PostgresHistory(self.database), cache, model, PostgresFacts(self.database)
                    ),
                ) as service,
            ):
                if with_model:
                    service.set_model(Endpoint(base_url=self._server.base_url, model="m", key="k"))
                yield service
        finally:
            await model.close()
            await cache.close()
