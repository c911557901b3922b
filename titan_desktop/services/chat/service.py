"""The chat service: subscribes to its topics and puts its parts together."""

import asyncio
from types import TracebackType
from typing import Self

from titan_bus import Bus, Subscription
from titan_desktop.contracts import topics
from titan_desktop.ports.cache import RecentCache
from titan_desktop.ports.history import History
from titan_desktop.ports.model import ChatModel, Endpoint
from titan_desktop.services.chat.answering import Answering
from titan_desktop.services.chat.attempts import Attempts
from titan_desktop.services.chat.commands import Commands
from titan_desktop.services.chat.recent import Recent
from titan_desktop.services.chat.requests import Requests
from titan_desktop.services.chat.storing import Storing

GROUP = "chat"
COMMANDS_AT_ONCE = 64
"""Answers wait for their model; a stop must find a place beside them."""
DRAIN_S = 0.5
"""An answer takes longer than a shutdown may: what is in work is cut off and taken up by the next process."""


class ChatService:
    """Runs within `async with`. History, cache and model are closed by whoever opened them."""

    def __init__(self, bus: Bus, history: History, cache: RecentCache, model: ChatModel) -> None:
        self._bus = bus
        self._model = model
        self._endpoint: Endpoint | None = None
        self._attempts = Attempts()
        recent, storing = Recent(history, cache), Storing(bus)
        answering = Answering(bus, history, storing, recent, model, lambda: self._endpoint)
        self._commands = Commands(bus, history, storing, recent, self._attempts, answering)
        self._requests = Requests(history, recent, self._attempts)
        self._subscriptions: list[Subscription] = []
        self._warming: asyncio.Task[None] | None = None

    def set_model(self, endpoint: Endpoint | None) -> None:
        """Answer with this model from now on, None for none; answers in work keep theirs. Call it on the loop."""
        self._endpoint = endpoint
        if endpoint is not None and self._warming is None:
            self._warming = asyncio.create_task(self._model.warm(), name="chat warms the model's client")

    def busy(self) -> bool:
        """Whether an answer is in work."""
        return len(self._attempts) > 0

    async def __aenter__(self) -> Self:
        for topic, handler, at_once in (
            (topics.CHAT_REQUESTS, self._requests.handle, 16),
            (topics.CHAT, self._commands.handle, COMMANDS_AT_ONCE),
        ):
            subscription = await self._bus.subscribe(topic, GROUP, handler, concurrency=at_once)
            self._subscriptions.append(subscription)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(subscription.stop(DRAIN_S) for subscription in self._subscriptions))
        self._subscriptions.clear()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait({self._warming})
