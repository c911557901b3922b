"""Builds the chat service's events so that they fit: an event has 32 KB, an answer may have more."""

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
"""The rest is for the envelope."""
_PASSAGE_LIMITS = (2_000, 600, 150, 0)
"""Limits that are tried in order. The first one cuts nothing: the words that were asked for may stand at the end.
The last one is there because six paths alone may have 24 KB."""
_LIMITS_WITH_TEXT = _PASSAGE_LIMITS[:2]
"""With shorter passages than these the text is omitted instead, and a window asks for it."""
_CUT_QUESTION_CHARS = 4_000


def user_message(question: Message, conversation: Conversation) -> UserMessage:
    """Return the event of a question. A text of quotes and line breaks may be too long in JSON, and is cut."""
    event = UserMessage(message=question, conversation=conversation)
    if _fits(event):
        return event
    short = replace(question, text=question.text[:_CUT_QUESTION_CHARS] + "…")
    return UserMessage(message=short, conversation=conversation)


def answer_started(answer: Message) -> AnswerStarted:
    """Return the event of an answer's beginning, with as many of its sources as fit."""
    for limit in _PASSAGE_LIMITS:
        event = AnswerStarted(message=_with_short_passages(answer, limit))
        if _fits(event):
            return event
    bare = replace(answer, text="", sources=(), siblings=())  # a window fetches the text with the first delta
    return AnswerStarted(message=bare)


def assistant_message(answer: Message) -> AssistantMessage:
    """Return the event of an ended answer. A text that does not fit is omitted: half an answer misleads."""
    for limit in _LIMITS_WITH_TEXT:
        event = AssistantMessage(message=_with_short_passages(answer, limit))
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
