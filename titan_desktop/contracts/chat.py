"""Chat: the window's commands and requests, and the chat service's events.

Topics: `topics.CHAT_COMMANDS`, `topics.CHAT`, `topics.CHAT_REQUESTS`; deltas on `topics.CHAT_STREAM` (ephemeral,
tailed). Ids are ULIDs. The window makes the ids of conversations and questions, so a command that is delivered
twice changes nothing the second time.
"""

from enum import StrEnum
from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.message import BusMessage, R, Request
from titan_desktop.contracts.sources import Source

PROMPT_BYTES_MAX = 24_000
"""A question's longest UTF-8 text: an event has 32 KB (32,768 bytes) with its envelope, and JSON escapes some."""


class Role(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"


class State(StrEnum):
    """The state of a message. A question is always COMPLETE; the others are states of an answer."""

    WAITING = "waiting"
    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"


class AnswerKind(StrEnum):
    """The origin of an answer.

    MODEL: written by a model. PASSAGES: no model is connected, the sources are the answer. NEAREST: the same, but
    they share no word with the question. NOTHING: no model, and nothing was found.
    """

    MODEL = "model"
    PASSAGES = "passages"
    NEAREST = "nearest"
    NOTHING = "nothing"


OF_PASSAGES = frozenset({AnswerKind.PASSAGES, AnswerKind.NEAREST})
"""The kinds without a text of their own: the sources are the answer."""


class Delay(StrEnum):
    """Why something cannot be stored now. DISK_FULL: until somebody has freed space on the store's disk."""

    DISK_FULL = "disk_full"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a window shows it. Messages are a tree; a page of history is a part of one path through it.

    Attributes:
        parent_id: the message before it, "" for the first one.
        siblings: it and the other messages with its parent, oldest first: the answers to one question, or a
            question and its edited versions. Empty when it is the only one.
        question_id: for an answer, the message that it answers; "" for a question.
        attempt: for an answer, 1 at first, one more with every new try at its question; deltas of an older attempt
            are void.
        created_at: RFC 3339, UTC.
        thoughts: how many characters of thoughts there are to it, see GetThoughts. They are no part of the answer.
        fault: set when `state` is FAILED; `fault_detail` then holds what the endpoint said (never a secret).
    """

    id: str
    conversation_id: str
    role: Role
    text: str
    state: State
    created_at: str
    parent_id: str = ""
    siblings: tuple[str, ...] = ()
    question_id: str = ""
    attempt: int = 0
    kind: AnswerKind = AnswerKind.MODEL
    model: str = ""
    sources: tuple[Source, ...] = ()
    thoughts: int = 0
    fault: Fault | None = None
    fault_detail: str = ""

    @property
    def sibling_index(self) -> int:
        """Its position among `siblings`, from 0: with their number it makes "2/3"."""
        return self.siblings.index(self.id) if self.siblings else 0


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the list of conversations.

    Times are RFC 3339, UTC; `title` is the first question, shortened, until renamed.
    """

    id: str
    title: str
    created_at: str
    updated_at: str


# Commands


class _Command(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.CHAT_COMMANDS

    conversation_id: str


class SendPrompt(_Command, frozen=True, kw_only=True):
    """Ask a question at the end of the active path. Creates the conversation if it is new.

    Attributes:
        text: at most PROMPT_BYTES_MAX bytes.
        edits: the question of which this is another version: its sibling, with its own answer, and the end of the
            active path.
    """

    message_id: str
    text: str
    language: str = ""
    edits: str = ""


class AnswerQuestion(_Command, frozen=True, kw_only=True):
    """Answer a stored question. The chat service sends this command to itself.

    Attributes:
        asked_by: the event id of the command that asked; a later stop applies.
        title: the beginning of the question, shown when it could not be answered.
    """

    question_id: str
    asked_by: str
    title: str = ""


class StopAnswer(_Command, frozen=True, kw_only=True):
    """Stop the answer to this question; its text so far stays, as STOPPED."""

    question_id: str


class RetryAnswer(_Command, frozen=True, kw_only=True):
    """Answer this question again; the failed or stopped answer is replaced."""

    question_id: str


class GoOn(_Command, frozen=True, kw_only=True):
    """Write the answer to this question on from where it broke off; what is there stays.

    Done where there is nothing to go on with: the answer is complete, was stopped, or has no text.
    """

    question_id: str


class AnswerAgain(_Command, frozen=True, kw_only=True):
    """Give another answer to this question, as a sibling; the active path ends with it.

    Attributes:
        attempt: that of the newest answer that the person has seen. If there is a newer one, the command is done.
    """

    question_id: str
    attempt: int


class ShowMessage(_Command, frozen=True, kw_only=True):
    """Make a path through this message the active one; below it, the newest."""

    message_id: str


class RenameConversation(_Command, frozen=True, kw_only=True):
    """Give a conversation a title."""

    title: str


class DeleteConversation(_Command, frozen=True, kw_only=True):
    """Delete a conversation with its messages."""


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.CHAT


class UserMessage(_Event, frozen=True, kw_only=True):
    """The question is stored, and cannot be lost any more."""

    message: Message
    conversation: Conversation


class AnswerStarted(_Event, frozen=True, kw_only=True):
    """An attempt begins; `message` is in state WAITING, with its sources. Deltas follow.

    It is empty, unless a former attempt is gone on with.
    """

    message: Message


class AssistantMessage(_Event, frozen=True, kw_only=True):
    """The answer is stored: COMPLETE, STOPPED or FAILED.

    Attributes:
        text_omitted: the text did not fit into an event; ask for it with the request `message`.
    """

    message: Message
    text_omitted: bool = False


class PathChanged(_Event, frozen=True, kw_only=True):
    """Another path of the conversation is active, and ends with `leaf_id`: request its history again."""

    conversation_id: str
    leaf_id: str


class ConversationChanged(_Event, frozen=True, kw_only=True):
    """A conversation was renamed, or deleted when `deleted` is set."""

    conversation: Conversation
    deleted: bool = False


class CommandVoid(_Event, frozen=True, kw_only=True):
    """A question or a title was not stored: its conversation was deleted before, or its id belongs to another."""

    conversation_id: str


Command = (
    SendPrompt
    | StopAnswer
    | RetryAnswer
    | GoOn
    | AnswerAgain
    | ShowMessage
    | RenameConversation
    | DeleteConversation
)


# An answer while it grows


class AssistantDelta(BusMessage, frozen=True, kw_only=True):
    """A piece of an answer.

    `offset` counts the characters before it in this attempt; after a gap, request the message.

    Attributes:
        thoughts: the model is thinking, so many characters so far; 0 in a delta that says nothing of it.
        restarts: what was said behind `offset` were thoughts: the text ends there, and goes on with this piece.
    """

    topic: ClassVar[str] = topics.CHAT_STREAM

    conversation_id: str
    question_id: str
    answer_id: str
    attempt: int
    offset: int
    text: str
    thoughts: int = 0
    restarts: bool = False


class StoringDelayed(BusMessage, frozen=True, kw_only=True):
    """A question, an answer or a change cannot be stored yet. It is kept; published with every try.

    Once it is stored, the usual event follows.

    Attributes:
        question_id: the question to store, or whose answer to store; "" for a rename or a deletion.
    """

    topic: ClassVar[str] = topics.CHAT_STREAM

    question_id: str
    delay: Delay


# Requests and replies


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.CHAT_REQUESTS


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListConversations; `more` says that others follow, after `cursor`."""

    conversations: tuple[Conversation, ...]
    more: bool = False
    cursor: str = ""


class ListConversations(_Request[ConversationPage], frozen=True, kw_only=True):
    """Conversations, most recently used first.

    `cursor` is that of the page before; "" asks for the first one. The core may give fewer than `limit`.
    """

    limit: int = 200
    cursor: str = ""


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetHistory: a part of the active path, oldest first; `more` says that older messages exist."""

    conversation_id: str
    messages: tuple[Message, ...]
    more: bool


class GetHistory(_Request[HistoryPage], frozen=True, kw_only=True, tag="history"):
    """Messages of a conversation's active path, before the message `before` ("" means the newest).

    Refused as `not_found` where that one is not on the active path.
    """

    conversation_id: str
    before: str = ""
    limit: int = 50


class GetMessage(_Request[Message], frozen=True, kw_only=True, tag="message"):
    """The current state of a message; a running answer with its text so far."""

    message_id: str


class Thoughts(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetThoughts: what the model thought before and while it answered, "" for nothing."""

    text: str


class GetThoughts(_Request[Thoughts], frozen=True, kw_only=True, tag="thoughts"):
    """The thoughts to an answer, as far as they have come. They are stored apart, and never sent to a model."""

    message_id: str


class AnswerExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ExplainAnswer.

    Attributes:
        question: the text of the question; "", as its id, where an imported conversation begins with the answer.
        event_id: the command that this answer was last begun by.
        model: that wrote it; "" for none.
        sources: what it rests on, as in the message. ExplainFact tells of a fact among them.
    """

    answer_id: str
    conversation_id: str
    question_id: str
    question: str
    event_id: str
    model: str = ""
    sources: tuple[Source, ...] = ()


class ExplainAnswer(_Request[AnswerExplained], frozen=True, kw_only=True):
    """What an answer rests on; "" asks for the newest answer. Refused as `not_found` when there is none."""

    answer_id: str = ""
