"""Dead letters: events that the services could not handle after several tries.

Topics: `topics.DEAD_LETTER_COMMANDS`, `topics.DEAD_LETTERS`, `topics.DEAD_LETTER_REQUESTS`.
"""

from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter.

    Attributes:
        letter_id: its id in requests.
        event_type: the event's type; "" when the entry was no event.
        group: the service that failed.
        subject: the subject of the event: the beginning of a question, a path, a title; "" when it has none.
        error: the class of the error; `message` is its text. Both are English.
        at: when it failed for good, RFC 3339, UTC.
    """

    letter_id: str
    event_type: str
    group: str
    subject: str
    error: str
    message: str
    at: str


# Commands. A missing dead letter is skipped.


class _Command(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.DEAD_LETTER_COMMANDS


class RedriveDeadLetters(_Command, frozen=True, kw_only=True):
    """Redrive these to the services that failed."""

    letter_ids: tuple[str, ...]


class DropDeadLetters(_Command, frozen=True, kw_only=True):
    """Remove these for good."""

    letter_ids: tuple[str, ...]


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.DEAD_LETTERS


class DeadLettersChanged(_Event, frozen=True, kw_only=True):
    """The number of dead letters, or the newest one, has changed."""

    count: int


# Requests and replies


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.DEAD_LETTER_REQUESTS


class DeadLetterPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListDeadLetters: `count` is the total; `more` says that others follow `cursor`."""

    count: int
    letters: tuple[DeadLetter, ...]
    more: bool = False
    cursor: str = ""


class ListDeadLetters(_Request[DeadLetterPage], frozen=True, kw_only=True):
    """The newest first. `cursor` is that of the previous page; "" requests the first one."""

    limit: int = 200
    cursor: str = ""
