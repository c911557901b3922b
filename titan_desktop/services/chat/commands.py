"""What each command does. Each may come twice, late, or beside another; ids and event ids make that harmless."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ulid import ULID

from titan_bus import Bus, Event
from titan_desktop.contracts.chat import (
    PROMPT_BYTES_MAX,
    AnswerAgain,
    AnswerKind,
    ConversationChanged,
    DeleteConversation,
    Message,
    PathChanged,
    RenameConversation,
    RetryAnswer,
    SendPrompt,
    ShowMessage,
    State,
    StopAnswer,
)
from titan_desktop.contracts.message import publish
from titan_desktop.ports.history import Asked, History
from titan_desktop.services import waiting
from titan_desktop.services.chat import events
from titan_desktop.services.chat.answering import Answering
from titan_desktop.services.chat.attempts import Attempt, Attempts
from titan_desktop.services.chat.order import Order
from titan_desktop.services.chat.recent import Recent
from titan_desktop.services.chat.storing import Storing

TITLE_CHARS_MAX = 60
RENAMED_CHARS_MAX = 200

_Handler = Callable[[Event, Any], Awaitable[None]]

_log = logging.getLogger(__name__)


class AttemptCutOffError(Exception):
    """The attempt that this command waited for was cut off, and nothing of it is recorded.

    Attributes:
        question_id: which.
    """

    def __init__(self, question_id: str) -> None:
        super().__init__(f"the answer to {question_id} was cut off")
        self.question_id = question_id


class Commands:
    """Handles the commands on `topics.CHAT`. Returning acknowledges."""

    def __init__(
        self,
        bus: Bus,
        history: History,
        storing: Storing,
        recent: Recent,
        attempts: Attempts,
        answering: Answering,
    ) -> None:
        self._bus = bus
        self._history = history
        self._storing = storing
        self._recent = recent
        self._attempts = attempts
        self._answering = answering
        self._order = Order()
        self._handlers: dict[str, tuple[type[Any], _Handler]] = {
            "send_prompt": (SendPrompt, self._send_prompt),
            "retry_answer": (RetryAnswer, self._retry_answer),
            "answer_again": (AnswerAgain, self._answer_again),
            "show_message": (ShowMessage, self._show_message),
            "stop_answer": (StopAnswer, self._stop_answer),
            "rename_conversation": (RenameConversation, self._rename),
            "delete_conversation": (DeleteConversation, self._delete),
        }

    async def handle(self, event: Event) -> None:
        """Do what a command says; the events that we publish on the same topic are not for us.

        Each of its steps waits for a store that is away, and the command begins anew when the attempt that it
        waited for was cut off: a question must not be lost to a restart of PostgreSQL, nor a stop to that of its
        question.
        """
        if event.event_type not in self._handlers:
            return
        kind, handler = self._handlers[event.event_type]
        command = event.payload_as(kind)
        await waiting.until_there(lambda: handler(event, command), AttemptCutOffError)

    async def _send_prompt(self, event: Event, prompt: SendPrompt) -> None:
        if fault := _fault_of(prompt):
            _log.warning("question %r is refused: %s", prompt.message_id, fault)
            return
        if (running := self._attempts.of_question(prompt.message_id)) is not None:
            await self._wait_for(running)
            return
        with self._attempts.begin(prompt.conversation_id, prompt.message_id, event.event_id) as attempt:
            async with self._order.turn(prompt.conversation_id):
                asked = await self._storing.until_taken(lambda: self._ask(event, prompt), prompt.message_id)
                if asked is None:
                    _log.info("question %s is void: deleted, or its id is taken", prompt.message_id)
                    return
                await self._recent.changed(prompt.conversation_id)
                await publish(self._bus, events.user_message(asked.question, asked.conversation))
                if prompt.edits:
                    await publish(
                        self._bus,
                        PathChanged(conversation_id=prompt.conversation_id, leaf_id=asked.answer.id),
                    )
            if asked.answer.state in events.UNFINISHED:
                await self._answering.answer(attempt, asked.question)
            else:
                await self._answering.say_again(prompt.message_id)

    async def _ask(self, event: Event, prompt: SendPrompt) -> Asked | None:
        return await self._history.ask(
            prompt,
            title=title_of(prompt.text),
            answer_id=str(ULID()),
            asked_at=event.timestamp,
            event_id=event.event_id,
        )

    async def _retry_answer(self, event: Event, retry: RetryAnswer) -> None:
        await self._answer_anew(event, retry, is_done=_is_final)

    async def _answer_again(self, event: Event, again: AnswerAgain) -> None:
        def is_done(newest: Message) -> bool:
            return newest.attempt > again.attempt and newest.state not in events.UNFINISHED

        await self._answer_anew(event, again, is_done=is_done, beside=str(ULID()))

    async def _answer_anew(
        self,
        event: Event,
        command: RetryAnswer | AnswerAgain,
        *,
        is_done: Callable[[Message], bool],
        beside: str = "",
    ) -> None:
        """Answer a question that has an answer, unless that one is what was asked for."""
        question_id = command.question_id
        while (running := self._attempts.of_question(question_id)) is not None:
            await self._wait_for(running)
        with self._attempts.begin(command.conversation_id, question_id, event.event_id) as attempt:
            asked = await self._storing.until_taken(lambda: self._history.asked(question_id), question_id)
            if asked is None:
                _log.info("there is no question %r to answer again", question_id)
            elif is_done(asked.answer):
                await self._answering.say_again(question_id)
            else:
                await self._answering.answer(attempt, asked.question, beside=beside)

    async def _show_message(self, event: Event, show: ShowMessage) -> None:
        async with self._order.turn(show.conversation_id):
            leaf_id = await self._storing.until_taken(
                lambda: self._history.show(show.conversation_id, show.message_id, event_id=event.event_id)
            )
            if leaf_id is None:
                _log.info("there is no message %r to show", show.message_id)
                return
            await self._recent.changed(show.conversation_id)
            await publish(self._bus, PathChanged(conversation_id=show.conversation_id, leaf_id=leaf_id))

    async def _stop_answer(self, event: Event, stop: StopAnswer) -> None:
        attempt = self._attempts.of_question(stop.question_id)
        if attempt is not None:
            if attempt.event_id < event.event_id:
                await self._end(attempt)
            return
        stopped = await self._storing.until_taken(
            lambda: self._history.stop(stop.question_id, event_id=event.event_id), stop.question_id
        )
        # Its command may have come while we wrote; it has seen the stop in the history, or sees it now.
        attempt = self._attempts.of_question(stop.question_id)
        if attempt is not None and attempt.event_id < event.event_id:
            await self._end(attempt)
        if stopped is not None:
            await self._answering.say_again(stop.question_id)

    async def _rename(self, event: Event, rename: RenameConversation) -> None:
        title = " ".join(rename.title.split())[:RENAMED_CHARS_MAX]
        if not title:
            _log.warning("conversation %r keeps its title: the new one is blank", rename.conversation_id)
            return
        changed = await self._storing.until_taken(
            lambda: self._history.rename(rename.conversation_id, title, event_id=event.event_id)
        )
        if changed is not None:
            await self._say_changed(ConversationChanged(conversation=changed))

    async def _delete(self, event: Event, delete: DeleteConversation) -> None:
        deleted = await self._storing.until_taken(
            lambda: self._history.delete(delete.conversation_id, event_id=event.event_id)
        )
        for attempt in self._attempts.of_conversation(delete.conversation_id):
            await self._end(attempt)
        await self._recent.changed(delete.conversation_id)
        await self._say_changed(ConversationChanged(conversation=deleted, deleted=True))

    async def _say_changed(self, changed: ConversationChanged) -> None:
        await publish(self._bus, changed)

    async def _end(self, attempt: Attempt) -> None:
        attempt.stop()
        await self._wait_for(attempt)

    @staticmethod
    async def _wait_for(attempt: Attempt) -> None:
        if not await attempt.settled():
            raise AttemptCutOffError(attempt.question_id)


def title_of(text: str) -> str:
    """Return a conversation's title: the question's first TITLE_CHARS_MAX characters, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= TITLE_CHARS_MAX:
        return line
    cut = line[: TITLE_CHARS_MAX + 1].rsplit(" ", 1)[0]
    return (cut if len(cut) <= TITLE_CHARS_MAX else line[:TITLE_CHARS_MAX]) + "…"


def _fault_of(prompt: SendPrompt) -> str:
    if not (prompt.conversation_id and prompt.message_id):
        return "an id is missing"
    if not prompt.text.strip():
        return "it is blank"
    if (size := len(prompt.text.encode("utf-8", "replace"))) > PROMPT_BYTES_MAX:
        return f"it has {size} bytes, the limit is {PROMPT_BYTES_MAX}"
    return ""


def _is_final(answer: Message) -> bool:
    """A model's complete answer stays; passages may be asked for again, with a model connected meanwhile."""
    return answer.state is State.COMPLETE and answer.kind is AnswerKind.MODEL
