"""The chat service: declares its handlers and connects its parts."""

import asyncio
from types import TracebackType
from typing import Self

from titan_bus import Bus, Event, Handlers
from titan_desktop.contracts import chat
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.message import Kinds
from titan_desktop.ports.cache import RecentCache
from titan_desktop.ports.facts import Facts
from titan_desktop.ports.history import History
from titan_desktop.ports.model import ChatModel, Endpoint
from titan_desktop.services.chat.answering import Answering
from titan_desktop.services.chat.attempts import Attempts
from titan_desktop.services.chat.commands import Commands
from titan_desktop.services.chat.recent import Recent
from titan_desktop.services.chat.requests import Requests
from titan_desktop.services.chat.storing import Storing

GROUP = "chat"
REQUESTS_AT_ONCE = 16
COMMANDS_AT_ONCE = 64
"""Answers wait for their model; a stop must be handled beside them."""
DRAIN_S = 0.5
"""An answer takes longer than a shutdown may: it is cancelled and answered by the next process."""
_IN_ORDER = Kinds(chat.SendPrompt, chat.ShowMessage, chat.RenameConversation, chat.DeleteConversation)


def by_conversation(event: Event) -> str | None:
    """Return the conversation within which a command keeps its order, None for a command without order.

    Short commands are handled in order. An answer takes long, and a stop has to overtake it.
    """
    command = _IN_ORDER.read(event)
    return None if command is None else command.conversation_id


class ChatService:
    """Conversations and answers. The caller closes history, cache and model."""

    drain_s = DRAIN_S

    def __init__(
        self, bus: Bus, history: History, cache: RecentCache, model: ChatModel, facts: Facts
    ) -> None:
        self._bus = bus
        self._model = model
        self._endpoint: Endpoint | None = None
        self._attempts = Attempts()
        recent, storing = Recent(history, cache), Storing(bus)
        answering = Answering(bus, history, storing, recent, model, facts, lambda: self._endpoint)
        commands = Commands(bus, history, storing, recent, self._attempts, answering)
        requests = Requests(history, recent, self._attempts)
        self.handlers = Handlers()
        take(
            self.handlers,
            GROUP,
            commands.send_prompt,
            commands.answer_question,
            commands.stop_answer,
            commands.retry_answer,
            commands.go_on,
            commands.answer_again,
            commands.show_message,
            commands.rename_conversation,
            commands.delete_conversation,
            concurrency=COMMANDS_AT_ONCE,
            partition_by=by_conversation,
        )
        take(
            self.handlers,
            GROUP,
            requests.list_conversations,
            requests.get_history,
            requests.get_message,
            requests.get_thoughts,
            requests.explain_answer,
            concurrency=REQUESTS_AT_ONCE,
        )
        tell(
            self.handlers,
            chat.AnswerQuestion,
            chat.UserMessage,
            chat.AnswerStarted,
            chat.AssistantDelta,
            chat.AssistantMessage,
            chat.StoringDelayed,
            chat.PathChanged,
            chat.ConversationChanged,
            chat.CommandVoid,
        )
        self._warming: asyncio.Task[None] | None = None

    def set_model(self, endpoint: Endpoint | None) -> None:
        """Use this model from now on, None for none; running answers keep theirs. Call it on the loop."""
        self._endpoint = endpoint
        if endpoint is not None and self._warming is None:
            self._warming = asyncio.create_task(self._model.warm(), name="chat warms the model's client")

    def answers_at(self) -> str:
        """Return where the model has answered, when that is not the address that is set; else ""."""
        endpoint = self._endpoint
        found = self._model.answers_at(endpoint) if endpoint is not None else None
        return found if found and endpoint and found != endpoint.base_url else ""

    def busy(self) -> bool:
        """Whether an answer is running."""
        return len(self._attempts) > 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait({self._warming})
