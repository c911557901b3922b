"""The chat service's events, made to fit: an event has 32 KB, an answer and its sources may have more."""

import msgspec
from msgspec.structs import replace

from titan_bus.event import EVENT_BYTES_MAX
from titan_desktop.contracts.chat import (
    AnswerStarted,
    AssistantMessage,
    Conversation,
    Message,
    State,
    UserMessage,
)

UNFINISHED = frozenset({State.WAITING, State.STREAMING})

PAYLOAD_BYTES_MAX = EVENT_BYTES_MAX - 1_024
"""The envelope has the rest."""
PASSAGE_CHARS_MAX = 600
_PASSAGE_LIMITS = (PASSAGE_CHARS_MAX, 150, 0)
"""Tried one after the other: six paths alone may have 24 KB."""
_CUT_QUESTION_CHARS = 4_000


def user_message(question: Message, conversation: Conversation) -> UserMessage:
    """Say a question; one that is all quotes and line ends may be too long in JSON, and is cut."""
    event = UserMessage(message=question, conversation=conversation)
    if _fits(event):
        return event
    short = replace(question, text=question.text[:_CUT_QUESTION_CHARS] + "…")
    return UserMessage(message=short, conversation=conversation)


def answer_started(answer: Message) -> AnswerStarted:
    """Say an answer's beginning, with as much of its sources as fits."""
    for limit in _PASSAGE_LIMITS:
        event = AnswerStarted(message=_with_short_passages(answer, limit))
        if _fits(event):
            return event
    return AnswerStarted(message=replace(answer, sources=(), siblings=()))


def assistant_message(answer: Message) -> AssistantMessage:
    """Say an ended answer; a text that does not fit is left out whole, because half an answer misleads."""
    event = AssistantMessage(message=_with_short_passages(answer, PASSAGE_CHARS_MAX))
    if _fits(event):
        return event
    silent = replace(answer, text="")
    for limit in _PASSAGE_LIMITS:
        event = AssistantMessage(message=_with_short_passages(silent, limit), text_omitted=bool(answer.text))
        if _fits(event):
            return event
    bare = replace(silent, sources=(), siblings=())
    return AssistantMessage(message=bare, text_omitted=bool(answer.text))


def _fits(event: msgspec.Struct) -> bool:
    return len(msgspec.json.encode(event)) <= PAYLOAD_BYTES_MAX


def _with_short_passages(message: Message, limit: int) -> Message:
    short = tuple(
        replace(hit, passage=hit.passage[: limit - 1] + "…" if limit else "")
        if len(hit.passage) > limit
        else hit
        for hit in message.sources
    )
    return replace(message, sources=short)
