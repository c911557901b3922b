"""Chat: what the window asks for, and what the chat service says.

Topics: commands and events on `topics.CHAT`, deltas on `topics.CHAT_STREAM` (ephemeral, tailed),
requests on `topics.CHAT_REQUESTS`. Ids are ULIDs. The window makes the ids of conversations and questions, so a
command that is delivered twice changes nothing the second time.
"""

from enum import StrEnum

import msgspec

from titan_desktop.contracts.memory import Hit

PROMPT_BYTES_MAX = 24_000
"""A question's longest UTF-8 text: an event has 32 KB (32,768 bytes) with its envelope, and JSON escapes some."""


class Role(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"


class State(StrEnum):
    """How far a message is. A question is always COMPLETE; the others are states of an answer."""

    WAITING = "waiting"
    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"


class AnswerKind(StrEnum):
    """What an answer is made of.

    MODEL: written by a model. PASSAGES: no model is connected, the sources are the answer. NOTHING: no model,
    and nothing was found.
    """

    MODEL = "model"
    PASSAGES = "passages"
    NOTHING = "nothing"


class Fault(StrEnum):
    """Why an answer failed. The window and the commands put it into a sentence with the cure."""

    WRONG_KEY = "wrong_key"
    UNREACHABLE = "unreachable"
    MODEL_NOT_FOUND = "model_not_found"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    CONTEXT_TOO_LONG = "context_too_long"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"
    INTERNAL = "internal"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a window shows it.

    Attributes:
        question_id: for an answer, the message that it answers; "" for a question.
        attempt: for an answer, 1 at first, one more with every new try; deltas of an older attempt are void.
        created_at: RFC 3339, UTC.
        fault: set when `state` is FAILED; `fault_detail` then holds what the endpoint said (never a secret).
    """

    id: str
    conversation_id: str
    role: Role
    text: str
    state: State
    created_at: str
    question_id: str = ""
    attempt: int = 0
    kind: AnswerKind = AnswerKind.MODEL
    model: str = ""
    sources: tuple[Hit, ...] = ()
    fault: Fault | None = None
    fault_detail: str = ""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the list on the left.

    Times are RFC 3339, UTC; `title` is the first question, shortened, until renamed.
    """

    id: str
    title: str
    created_at: str
    updated_at: str


# Commands on topics.CHAT


class SendPrompt(msgspec.Struct, frozen=True, kw_only=True, tag="send_prompt", tag_field="type"):
    """Ask. Creates the conversation if it is new. `text` has at most PROMPT_BYTES_MAX bytes."""

    conversation_id: str
    message_id: str
    text: str
    language: str = ""


class StopAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="stop_answer", tag_field="type"):
    """Stop the answer to this question; what has been said so far stays, as STOPPED."""

    conversation_id: str
    question_id: str


class RetryAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="retry_answer", tag_field="type"):
    """Answer this question again; the failed or stopped answer is replaced."""

    conversation_id: str
    question_id: str


class RenameConversation(
    msgspec.Struct, frozen=True, kw_only=True, tag="rename_conversation", tag_field="type"
):
    """Give a conversation a title."""

    conversation_id: str
    title: str


class DeleteConversation(
    msgspec.Struct, frozen=True, kw_only=True, tag="delete_conversation", tag_field="type"
):
    """Erase a conversation with its messages."""

    conversation_id: str


# Events on topics.CHAT


class UserMessage(msgspec.Struct, frozen=True, kw_only=True, tag="user_message", tag_field="type"):
    """The question is stored; from here on it cannot be lost."""

    message: Message
    conversation: Conversation


class AnswerStarted(msgspec.Struct, frozen=True, kw_only=True, tag="answer_started", tag_field="type"):
    """An attempt begins; `message` is empty yet, in state WAITING, with its sources. Deltas follow."""

    message: Message


class AssistantMessage(msgspec.Struct, frozen=True, kw_only=True, tag="assistant_message", tag_field="type"):
    """The answer is stored: COMPLETE, STOPPED or FAILED.

    Attributes:
        text_omitted: the text did not fit into an event; ask for it with the request `message`.
    """

    message: Message
    text_omitted: bool = False


class ConversationChanged(
    msgspec.Struct, frozen=True, kw_only=True, tag="conversation_changed", tag_field="type"
):
    """A conversation was renamed, or was deleted when `deleted` is set."""

    conversation: Conversation
    deleted: bool = False


Command = SendPrompt | StopAnswer | RetryAnswer | RenameConversation | DeleteConversation
ChatEvent = UserMessage | AnswerStarted | AssistantMessage | ConversationChanged


# On topics.CHAT_STREAM


class AssistantDelta(msgspec.Struct, frozen=True, kw_only=True, tag="assistant_delta", tag_field="type"):
    """Some more of an answer.

    `offset` counts the characters that came before it in this attempt; a gap means: ask for the message.
    """

    conversation_id: str
    question_id: str
    answer_id: str
    attempt: int
    offset: int
    text: str


# Requests on topics.CHAT_REQUESTS: event type -> reply


class ListConversations(
    msgspec.Struct, frozen=True, kw_only=True, tag="list_conversations", tag_field="type"
):
    """Conversations, most recently used first -> ConversationPage."""

    limit: int = 200


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListConversations."""

    conversations: tuple[Conversation, ...]


class GetHistory(msgspec.Struct, frozen=True, kw_only=True, tag="history", tag_field="type"):
    """Messages of one conversation, older than `before` (a message id; "" means the newest) -> HistoryPage."""

    conversation_id: str
    before: str = ""
    limit: int = 50


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetHistory: oldest first; `more` says that older ones exist."""

    conversation_id: str
    messages: tuple[Message, ...]
    more: bool


class GetMessage(msgspec.Struct, frozen=True, kw_only=True, tag="message", tag_field="type"):
    """One message as it stands now, a streaming answer with what it has so far -> Message."""

    message_id: str


Request = ListConversations | GetHistory | GetMessage
