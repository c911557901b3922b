"""Conversations and messages, stored permanently. Written by the chat service alone.

A conversation is a tree: each message names its parent, and one path from a root to a leaf is active. A question's
first answer is created with it, further ones are its siblings; `attempt` counts the tries over all of them, so the
greatest is the newest. Every row names the event that made it, and event ids are ULIDs, so the greater one is the
newer command. A command that is delivered twice, or late, is therefore harmless.
"""

from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.chat import (
    AnswerExplained,
    Conversation,
    ConversationPage,
    HistoryPage,
    Message,
    SendPrompt,
)


class HistoryUnavailableError(Exception):
    """The store cannot be reached now; the same call may succeed later.

    Attributes:
        reason: the driver's words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the history cannot be read or written: {reason}")
        self.reason = reason


class HistoryFullError(HistoryUnavailableError):
    """The store's disk is full: it can be read, but not written until somebody has freed space."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A stored question with its conversation and its newest answer."""

    conversation: Conversation
    question: Message
    answer: Message


class History(Protocol):
    """All methods raise HistoryUnavailableError; repeating the call then has the effect of one.

    The same holds for a call that was executed and whose reply was lost.
    """

    async def ask(
        self, prompt: SendPrompt, *, title: str, answer_id: str, asked_at: str, event_id: str
    ) -> Asked | None:
        """Store a question, its waiting answer, and the conversation if it is new; a second time changes nothing.

        The active path ends with that answer afterwards.

        Args:
            prompt: the command.
            title: of the conversation, if it is new.
            answer_id: of the answer, if the question is new.
            asked_at: RFC 3339.
            event_id: of the command.

        Returns:
            What is stored now; None if the conversation was deleted, or the id belongs to another message.
        """
        ...

    async def asked(self, question_id: str) -> Asked | None:
        """Return a stored question, None if there is none."""
        ...

    async def begin(
        self, question_id: str, *, event_id: str, model: str, beside: str = "", keep: bool = False
    ) -> Message | None:
        """Empty the newest answer and count one more attempt, for the command `event_id`.

        Args:
            question_id: what is to be answered.
            event_id: of the command.
            model: that is going to answer.
            beside: the id of another answer, made in place of that and ending the active path, unless the newest
                one has nothing to keep: it is unfinished, or ended without a word.
            keep: leave its text, sources and thoughts as they are: they are gone on with.

        Returns:
            The answer, waiting; None if this command's answer has ended already, or a newer command (another
            retry, a stop) has been seen.
        """
        ...

    async def save(self, answer_id: str, attempt: int, text: str) -> bool:
        """Save the text so far. False: this attempt is over (stopped elsewhere, superseded, deleted)."""
        ...

    async def finish(self, answer: Message, thoughts: str = "") -> bool:
        """Store an ended answer and its thoughts, once.

        False: this attempt has ended otherwise, and nothing was stored.
        """
        ...

    async def thoughts(self, answer_id: str) -> str | None:
        """Return the thoughts to an answer, "" for none; None if there is no such message."""
        ...

    async def stop(self, question_id: str, *, event_id: str) -> Message | None:
        """Record that the question must not be answered; commands older than `event_id` start no attempt any more.

        Returns:
            The answer if it is stopped now, with the text saved last; else None.
        """
        ...

    async def conversations(self, limit: int, *, cursor: str = "") -> ConversationPage | None:
        """Return conversations, most recently used first, after `cursor` ("" = from the first).

        None if the cursor is invalid. A conversation used between two pages may be in both, or in neither.
        """
        ...

    async def page(self, conversation_id: str, *, before: str = "", limit: int) -> HistoryPage | None:
        """Return messages of the active path before `before` ("" = the newest), oldest first.

        None if the conversation is unknown, or `before` not on its active path.
        """
        ...

    async def path(self, message_id: str, *, limit: int) -> tuple[Message, ...]:
        """Return the last messages of the path that leads to this one, active or not; itself last."""
        ...

    async def show(self, conversation_id: str, message_id: str, *, event_id: str) -> str | None:
        """Make a path through this message the active one: below it, the newest.

        Returns:
            The leaf of the path that is active now: as it was if the message stood on it already, or a newer
            command chose another. None if there is no such message.
        """
        ...

    async def message(self, message_id: str) -> Message | None:
        """Return one message."""
        ...

    async def explain(self, answer_id: str = "") -> AnswerExplained | None:
        """Return what an answer rests on ("" = the newest one); None if there is no such answer."""
        ...

    async def rename(self, conversation_id: str, title: str, *, event_id: str) -> Conversation | None:
        """Set the title, unless a newer command set one. None if there is no such conversation."""
        ...

    async def delete(self, conversation_id: str, *, event_id: str) -> Conversation:
        """Delete a conversation and its messages. A mark stays, so that a late command does not recreate it."""
        ...
