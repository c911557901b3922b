"""Conversations and messages, kept for good. Written by the chat service alone.

An answer's row is made together with its question's, and there is exactly one a question; its `attempt` counts how
often it was begun. Every row names the event that made it, and event ids are ULIDs: the greater one is the newer
command. That is what makes a command that is delivered twice, or late, harmless.
"""

from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.chat import Conversation, ConversationPage, HistoryPage, Message, SendPrompt


class HistoryUnavailableError(Exception):
    """The store cannot be reached now; the same call may succeed later.

    Attributes:
        reason: the driver's words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the history cannot be read or written: {reason}")
        self.reason = reason


class HistoryFullError(HistoryUnavailableError):
    """The store's disk is full: it can be read, and takes nothing until somebody has made room."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its conversation and its one answer, as stored."""

    conversation: Conversation
    question: Message
    answer: Message


class History(Protocol):
    """All methods raise HistoryUnavailableError; the same call again, after that, does what the first would have.

    So does a call whose first was carried out, and only its reply was lost.
    """

    async def ask(
        self, prompt: SendPrompt, *, title: str, answer_id: str, asked_at: str, event_id: str
    ) -> Asked | None:
        """Store a question, its waiting answer, and the conversation if it is new; a second time changes nothing.

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
        """Return a question as stored, None if there is none."""
        ...

    async def begin(self, question_id: str, *, event_id: str, model: str) -> Message | None:
        """Empty the answer and count one more attempt, for the command `event_id`.

        Returns:
            The answer, waiting; None if this command's answer has ended already, or a newer command (another
            retry, a stop) has been seen.
        """
        ...

    async def save(self, answer_id: str, attempt: int, text: str) -> bool:
        """Keep what has been said so far. False: this attempt is over (stopped elsewhere, superseded, deleted)."""
        ...

    async def finish(self, answer: Message) -> bool:
        """Store an ended answer, once. False: this attempt has ended otherwise, and nothing was stored."""
        ...

    async def stop(self, question_id: str, *, event_id: str) -> Message | None:
        """Note that the question shall not be answered; commands older than `event_id` begin nothing any more.

        Returns:
            The answer if it is stopped now, with the text saved last; else None.
        """
        ...

    async def conversations(self, limit: int, *, cursor: str = "") -> ConversationPage | None:
        """Return conversations, most recently used first, after `cursor` ("" = from the first).

        None if the cursor is none of ours. One that is used between two pages may be in both, or in neither.
        """
        ...

    async def page(self, conversation_id: str, *, before: str = "", limit: int) -> HistoryPage | None:
        """Return messages older than `before` ("" = the newest), oldest first; None if either id is unknown."""
        ...

    async def message(self, message_id: str) -> Message | None:
        """Return one message."""
        ...

    async def rename(self, conversation_id: str, title: str, *, event_id: str) -> Conversation | None:
        """Give a title, unless a newer command gave one. None if there is no such conversation."""
        ...

    async def delete(self, conversation_id: str, *, event_id: str) -> Conversation:
        """Erase a conversation and its messages. A mark stays, so that a late command does not bring it back."""
        ...
