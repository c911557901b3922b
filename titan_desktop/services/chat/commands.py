"""The commands of the chat. Each may be delivered twice, late, or concurrently; its ids make that harmless.

A question takes two commands. `send_prompt` stores and publishes it: that is short, and keeps the order within a
conversation. `answer_question` takes long; answers run concurrently.
"""

import logging
from collections.abc import Awaitable, Callable

from ulid import ULID

from titan_bus import Bus, Event
from titan_desktop.contracts.chat import (
    PROMPT_BYTES_MAX,
    AnswerAgain,
    AnswerKind,
    AnswerQuestion,
    CommandVoid,
    ConversationChanged,
    DeleteConversation,
    GoOn,
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
from titan_desktop.services.chat.recent import Recent
from titan_desktop.services.chat.storing import Storing

TITLE_CHARS_MAX = 60
RENAMED_CHARS_MAX = 200

_log = logging.getLogger(__name__)


class AttemptCutOffError(Exception):
    """The attempt that this command waited for was cancelled, and nothing is stored.

    Attributes:
        question_id: the question.
    """

    def __init__(self, question_id: str) -> None:
        super().__init__(f"the answer to {question_id} was cut off")
        self.question_id = question_id


class Commands:
    """Handlers of the commands. Returning acknowledges.

    Each step waits for a store that is away. A command starts over when the attempt it waited for was cancelled,
    so neither a question nor a stop is lost when PostgreSQL restarts.
    """

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

    async def send_prompt(self, prompt: SendPrompt, event: Event) -> None:
        """Store a question, publish it, and send the command to answer it."""
        if fault := _fault_of(prompt):
            _log.warning("question %r is refused: %s", prompt.message_id, fault)
            return
        asked = await self._storing.until_taken(lambda: self._ask(event, prompt), prompt.message_id)
        if asked is None:
            _log.info("question %s is void: deleted, or its id is taken", prompt.message_id)
            await publish(self._bus, CommandVoid(conversation_id=prompt.conversation_id))
            return
        await self._recent.changed(prompt.conversation_id)
        await publish(self._bus, events.user_message(asked.question, asked.conversation))
        if prompt.edits:
            path = PathChanged(conversation_id=prompt.conversation_id, leaf_id=asked.answer.id)
            await publish(self._bus, path)
        if asked.answer.state in events.UNFINISHED:
            wanted = AnswerQuestion(
                conversation_id=prompt.conversation_id,
                question_id=prompt.message_id,
                asked_by=event.event_id,
                title=title_of(prompt.text),
            )
            await publish(self._bus, wanted)
        else:
            await self._answering.say_again(prompt.message_id)

    async def answer_question(self, wanted: AnswerQuestion) -> None:
        """Answer a stored question, or wait for the running attempt at it."""
        await _anew(lambda: self._answer(wanted))

    async def retry_answer(self, retry: RetryAnswer, event: Event) -> None:
        """Answer a question again, once the running attempt at it has ended."""
        await _anew(lambda: self._answer_anew(event.event_id, retry, is_done=_is_final))

    async def go_on(self, wanted: GoOn, event: Event) -> None:
        """Write an answer on that broke off."""
        await _anew(lambda: self._answer_anew(event.event_id, wanted, is_done=_has_no_rest, keep=True))

    async def answer_again(self, again: AnswerAgain, event: Event) -> None:
        """Add another answer to a question."""

        def is_done(newest: Message) -> bool:
            return newest.attempt > again.attempt and newest.state not in events.UNFINISHED

        answer_id = str(ULID())
        await _anew(lambda: self._answer_anew(event.event_id, again, is_done=is_done, beside=answer_id))

    async def show_message(self, show: ShowMessage, event: Event) -> None:
        """Make the path through a message the active one."""
        leaf_id = await self._storing.until_taken(
            lambda: self._history.show(show.conversation_id, show.message_id, event_id=event.event_id)
        )
        if leaf_id is None:
            _log.info("there is no message %r to show", show.message_id)
            return
        await self._recent.changed(show.conversation_id)
        await publish(self._bus, PathChanged(conversation_id=show.conversation_id, leaf_id=leaf_id))

    async def stop_answer(self, stop: StopAnswer, event: Event) -> None:
        """Stop an answer that was requested before, also if it is not running yet."""
        await _anew(lambda: self._stop_answer(stop, event.event_id))

    async def rename_conversation(self, rename: RenameConversation, event: Event) -> None:
        """Rename a conversation."""
        title = " ".join(rename.title.split())[:RENAMED_CHARS_MAX]
        if not title:
            _log.warning("conversation %r keeps its title: the new one is blank", rename.conversation_id)
            return
        changed = await self._storing.until_taken(
            lambda: self._history.rename(rename.conversation_id, title, event_id=event.event_id)
        )
        if changed is None:
            await publish(self._bus, CommandVoid(conversation_id=rename.conversation_id))
        else:
            await publish(self._bus, ConversationChanged(conversation=changed))

    async def delete_conversation(self, delete: DeleteConversation, event: Event) -> None:
        """Delete a conversation, and stop its running answers."""
        await _anew(lambda: self._delete(delete, event.event_id))

    async def _answer(self, wanted: AnswerQuestion) -> None:
        if (running := self._attempts.of_question(wanted.question_id)) is not None:
            await self._wait_for(running)
            return
        with self._attempts.begin(wanted.conversation_id, wanted.question_id, wanted.asked_by) as attempt:
            asked = await self._storing.until_taken(
                lambda: self._history.asked(wanted.question_id), wanted.question_id
            )
            if asked is None:
                _log.info("question %s is void: deleted", wanted.question_id)
            elif asked.answer.state in events.UNFINISHED:
                await self._answering.answer(attempt, asked.question)
            else:
                await self._answering.say_again(wanted.question_id)

    async def _ask(self, event: Event, prompt: SendPrompt) -> Asked | None:
        return await self._history.ask(
            prompt,
            title=title_of(prompt.text),
            answer_id=str(ULID()),
            asked_at=event.timestamp,
            event_id=event.event_id,
        )

    async def _answer_anew(
        self,
        event_id: str,
        command: RetryAnswer | GoOn | AnswerAgain,
        *,
        is_done: Callable[[Message], bool],
        beside: str = "",
        keep: bool = False,
    ) -> None:
        """Answer a question that has an answer, unless that answer belongs to this command already."""
        question_id = command.question_id
        while (running := self._attempts.of_question(question_id)) is not None:
            await self._wait_for(running)
        with self._attempts.begin(command.conversation_id, question_id, event_id) as attempt:
            asked = await self._storing.until_taken(lambda: self._history.asked(question_id), question_id)
            if asked is None:
                _log.info("there is no question %r to answer again", question_id)
            elif is_done(asked.answer):
                await self._answering.say_again(question_id)
            else:
                await self._answering.answer(attempt, asked.question, beside=beside, keep=keep)

    async def _stop_answer(self, stop: StopAnswer, event_id: str) -> None:
        attempt = self._attempts.of_question(stop.question_id)
        if attempt is not None:
            if attempt.event_id < event_id:
                await self._end(attempt)
            return
        stopped = await self._storing.until_taken(
            lambda: self._history.stop(stop.question_id, event_id=event_id), stop.question_id
        )
        # The other command may have arrived while this one wrote; it finds the stop in the history.
        attempt = self._attempts.of_question(stop.question_id)
        if attempt is not None and attempt.event_id < event_id:
            await self._end(attempt)
        if stopped is not None:
            await self._answering.say_again(stop.question_id)

    async def _delete(self, delete: DeleteConversation, event_id: str) -> None:
        deleted = await self._storing.until_taken(
            lambda: self._history.delete(delete.conversation_id, event_id=event_id)
        )
        for attempt in self._attempts.of_conversation(delete.conversation_id):
            await self._end(attempt)
        await self._recent.changed(delete.conversation_id)
        await publish(self._bus, ConversationChanged(conversation=deleted, deleted=True))

    async def _end(self, attempt: Attempt) -> None:
        attempt.stop()
        await self._wait_for(attempt)

    @staticmethod
    async def _wait_for(attempt: Attempt) -> None:
        if not await attempt.settled():
            raise AttemptCutOffError(attempt.question_id)


async def _anew(work: Callable[[], Awaitable[None]]) -> None:
    await waiting.until_there(work, AttemptCutOffError)


def title_of(text: str) -> str:
    """Return a conversation's title: the first TITLE_CHARS_MAX characters of the question, cut at a word."""
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
    """Whether an answer is final: a model's is; passages are not, as a model may be connected later."""
    return answer.state is State.COMPLETE and answer.kind is AnswerKind.MODEL


def _has_no_rest(answer: Message) -> bool:
    """Whether there is nothing to go on with: an answer that broke off has a text and a fault."""
    return answer.state not in {State.FAILED, *events.UNFINISHED} or not answer.text.strip()
